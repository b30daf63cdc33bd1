"""``ktrace image pack``, ``unpack``, ``digest``: images that people hand on to each other, and compare."""

from __future__ import annotations

from pathlib import Path

import click

from ktrace.cli.options import ImageName
from ktrace.image.build import DEFAULT_RECIPE
from ktrace.image.image import find_image
from ktrace.output_file import output_file

_name = click.argument("name", type=ImageName(), default=DEFAULT_RECIPE)


@click.command("pack")
@_name
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file; by default NAME.tar.zst.")
def pack_command(name: str, output: Path | None) -> None:
    """Write the image NAME to one file: kernel, debug information, initramfs, and what all of it was made from."""
    from ktrace.image.pack import image_digest, pack_image

    output = output or Path(f"{name}.tar.zst")
    with output_file(output) as file:
        image = pack_image(name, file)
    click.echo(f"{image_digest(image)}  {name}")


@click.command("unpack")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="The name to give it; by default the one that it was packed by.")
def unpack_command(file: Path, name: str | None) -> None:
    """Take the image in FILE into the store, checked bit for bit against what it says of itself."""
    from ktrace.image.pack import image_digest, unpack_image

    image = unpack_image(file, name=name)
    click.echo(f"{image_digest(image)}  {image.name}")


@click.command("digest")
@_name
def digest_command(name: str) -> None:
    """Print one digest of all bits of the image NAME: two people who have the same image see the same line."""
    from ktrace.image.pack import image_digest

    click.echo(f"{image_digest(find_image(name, check_inputs=False))}  {name}")
