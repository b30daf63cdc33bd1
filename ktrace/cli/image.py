"""``ktrace image``: build, list, show, verify, import, config, refresh, source, pack, unpack, digest, rm, prune."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ktrace.cli.building import BuildProgress
from ktrace.cli.image_pack import digest_command, pack_command, unpack_command
from ktrace.cli.mistakes import Group
from ktrace.cli.options import ImageName
from ktrace.errors import FELL_SHORT, UsageError
from ktrace.image.build import DEFAULT_RECIPE, build_image
from ktrace.image.build_tree import build_files
from ktrace.image.facts import image_facts, image_state
from ktrace.image.foreign import KernelFiles, import_image, refresh_import, require_import_name
from ktrace.image.image import Image, find_image, known_names
from ktrace.image.packages import import_debs, import_package
from ktrace.image.prune import Pruned, prune_store, remove_image
from ktrace.image.recipe import load_recipe, recipe_names
from ktrace.image.store import open_store
from ktrace.image.tree import prepare_source
from ktrace.image.verify import verify_image
from ktrace.image.wishes import advise_for
from ktrace.interrupt import held_back
from ktrace.machine.template.make import ensure_template

_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
_quiet = click.option("-q", "--quiet", is_flag=True, help="No progress.")
_name = click.argument("name", type=ImageName(), default=DEFAULT_RECIPE)
_file = click.Path(path_type=Path)


def _say_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, sort_keys=True))


def _say_image(image: Image) -> None:
    facts = image_facts(image)
    click.echo(f"image      {image.name}")
    if facts["package"]:
        click.echo(f"source     {facts['package']} {facts['package_version']}")
    else:
        click.echo("source     imported")
    click.echo(f"build-id   {image.build_id}")
    click.echo(f"memory     {facts['memory_mib']} MiB")
    if facts["modules"]:
        click.echo(f"modules    {' '.join(facts['modules'])}")
    for part in ("kernel", "vmlinux", "initramfs", "config"):
        if facts[part]:
            click.echo(f"{part:<10} {facts[part]}")
    if facts["changed_inputs"]:
        click.echo(f"out of date: {', '.join(facts['changed_inputs'])} changed since it was built")


@click.group("image", cls=Group)
def image() -> None:
    """Build, list and check the kernels that ktrace boots."""


for _command in (pack_command, unpack_command, digest_command):
    image.add_command(_command)


@image.command("build")
@_name
@_json
@_quiet
def build_command(name: str, as_json: bool, quiet: bool) -> None:
    """Build the image NAME from its recipe, or only what of it has changed."""
    with BuildProgress(quiet) as progress:
        image = build_image(name, progress=progress)
        ensure_template(image, booting=lambda: progress.stage("booting it once, to clone it ever after"))
    if as_json:
        _say_json(image_facts(image))
    elif not quiet:
        _say_image(image)


@image.command("list")
@_json
def list_command(as_json: bool) -> None:
    """List recipes and imported kernels, and whether they are built."""
    store = open_store()
    rows = [image_state(store, name) for name in known_names(store)]
    if as_json:
        _say_json(rows)
        return
    recipes = recipe_names()
    for row in rows:
        origin = " ".join(str(row[key]) for key in ("package", "package_version") if row.get(key)) or "imported"
        summary = _summary(row["name"]) if row["name"] in recipes else origin
        build_id = row.get("build_id", "")[:12]
        click.echo(f"{row['name']:<16} {row['state']:<12} {build_id:<13} {summary}")


def _summary(name: str) -> str:
    """Return what a recipe says of itself, or what is wrong with it."""
    try:
        return load_recipe(name).summary
    except UsageError as error:
        return error.message


@image.command("show")
@_name
@click.option("--config", "only_config", is_flag=True, help="Print the kernel's configuration and nothing else.")
@click.option("--manifest", "only_manifest", is_flag=True, help="Print the whole manifest, as JSON.")
@_json
def show_command(name: str, only_config: bool, only_manifest: bool, as_json: bool) -> None:
    """Show what the image NAME is made of and where it lies."""
    image = find_image(name, check_inputs=False)
    if only_config:
        if image.config is None:
            raise click.UsageError(f"the configuration of {name!r} is not known: import it with --config")
        click.echo(image.config.read_text(), nl=False)
    elif only_manifest:
        _say_json(image.manifest)
    elif as_json:
        _say_json(image_facts(image))
    else:
        _say_image(image)


@image.command("verify")
@_name
@_json
@_quiet
@click.pass_context
def verify_command(context: click.Context, name: str, as_json: bool, quiet: bool) -> None:
    """Build the image NAME again in another directory and compare it bit for bit (exit code 6 if it differs)."""
    with BuildProgress(quiet) as progress:
        rows = verify_image(name, progress=progress)
    if as_json:
        _say_json([{**row.__dict__, "equal": row.equal} for row in rows])
    else:
        for row in rows:
            verdict = "equal" if row.equal else "DIFFERENT"
            click.echo(f"{row.name:<10} {verdict:<10} sha256 {row.rebuilt}")
            if row.stored != row.manifest:
                click.echo(f"           the file in the store was altered: sha256 {row.stored}")
            if row.rebuilt != row.manifest:
                click.echo(f"           the manifest says            sha256 {row.manifest}")
    context.exit(0 if all(row.equal for row in rows) else FELL_SHORT)


@image.command("import")
@click.argument("name")
@click.option(
    "--package", metavar="PACKAGE", help="Debian's package of a kernel, PACKAGE or PACKAGE=VERSION: fetch it."
)
@click.option(
    "--suite", metavar="SUITE", help="The suite that has it; by default all that this machine or a recipe names."
)
@click.option("--deb", "debs", multiple=True, type=_file, help="Package files: kernel, modules, debug symbols.")
@click.option("--build", "build", type=_file, metavar="DIR", help="A directory in which a kernel was built.")
@click.option("--vmlinux", type=_file, help="ELF file with DWARF, as make leaves it.")
@click.option("--boot", type=_file, help="What to boot, if not the vmlinux through its PVH entry: a bzImage.")
@click.option("--config", type=_file, help="The kernel's .config.")
@click.option("--modules", type=_file, metavar="DIR", help="The kernel's modules, e.g. /lib/modules/RELEASE.")
@click.argument("more", nargs=-1, type=_file, metavar="")
@_json
@_quiet
def import_command(
    name: str,
    package: str | None,
    suite: str | None,
    debs: tuple[Path, ...],
    build: Path | None,
    vmlinux: Path | None,
    boot: Path | None,
    config: Path | None,
    modules: Path | None,
    more: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Make the image NAME of a kernel that someone else built.

    \b
    ktrace image import NAME --package linux-image-6.1.0-50-cloud-amd64
    ktrace image import NAME --deb KERNEL.deb KERNEL-dbg.deb
    ktrace image import NAME --build ~/linux
    ktrace image import NAME --vmlinux VMLINUX [--boot BZIMAGE] [--config CONFIG] [--modules DIR]
    """
    given = [flag for flag, value in _ways(package, debs, build, vmlinux) if value]
    if len(given) != 1:
        raise click.UsageError(
            f"give one of --package, --deb, --build and --vmlinux, not {' and '.join(given) or 'none'}"
        )
    if more and not debs:
        raise click.UsageError(f"Got unexpected extra argument ({more[0]})")
    if suite and not package:
        raise click.UsageError("--suite goes with --package")
    if (boot or config or modules) and not vmlinux:
        raise click.UsageError("--boot, --config and --modules go with --vmlinux")
    require_import_name(name)
    with held_back():  # drgn among them
        from ktrace.verify.readable import require_readable as check
    with BuildProgress(quiet) as progress:
        if package:
            image = import_package(name, package, suite=suite, progress=progress, check=check)
        elif debs:
            image = import_debs(name, [*debs, *more], progress=progress, check=check)
        elif build:
            image = import_image(name, build_files(build, progress), progress=progress, check=check)
        else:
            assert vmlinux is not None
            image = import_image(name, KernelFiles(vmlinux, boot, config, modules), progress=progress, check=check)
    if as_json:
        _say_json(image_facts(image))
    elif not quiet:
        _say_image(image)


def _ways(
    package: str | None, debs: tuple[Path, ...], build: Path | None, vmlinux: Path | None
) -> list[tuple[str, object]]:
    return [("--package", package), ("--deb", debs), ("--build", build), ("--vmlinux", vmlinux)]


@image.command("config")
@click.option(
    "--for", "path", required=True, type=_file, metavar="DIR", help="A kernel's build directory, or a .config."
)
@_json
def config_command(path: Path, as_json: bool) -> None:
    """Say what a kernel's configuration lacks for ktrace, as a fragment to merge into it.

    \b
    ktrace image config --for ~/linux >ktrace.config
    cd ~/linux && scripts/kconfig/merge_config.sh .config ktrace.config
    """
    advice = advise_for(path)
    if as_json:
        _say_json(
            {
                "fragment": advice.fragment,
                "missing": [{"what": wish.what, "why": wish.why, "required": wish.required} for wish in advice.missing],
                "unknown": sorted(advice.unknown),
            }
        )
        return
    click.echo(advice.fragment, nl=False)
    for required, title in ((True, "missing"), (False, "better with")):
        names = [wish.what for wish in advice.missing if wish.required is required]
        if names:
            click.echo(f"{title}: {', '.join(names)}", err=True)
    if not advice.missing:
        click.echo("nothing is missing", err=True)


@image.command("refresh")
@click.argument("name")
@_quiet
def refresh_command(name: str, quiet: bool) -> None:
    """Give the imported image NAME the agent as it is now."""
    with BuildProgress(quiet) as progress:
        refresh_import(name, progress=progress)


@image.command("prune")
@_json
def prune_command(as_json: bool) -> None:
    """Remove from the store what no image's name leads to any more."""
    _say_removed(prune_store(open_store()), as_json)


def _say_removed(removed: list[Pruned], as_json: bool) -> None:
    if as_json:
        _say_json([{"path": str(entry.path), "size": entry.size} for entry in removed])
        return
    for entry in removed:
        click.echo(f"{entry.size / 1e6:8.1f} MB  {entry.path}")
    click.echo(f"{sum(entry.size for entry in removed) / 1e6:8.1f} MB removed")


@image.command("rm")
@click.argument("names", nargs=-1, required=True, type=ImageName(), metavar="NAME...")
@_json
def rm_command(names: tuple[str, ...], as_json: bool) -> None:
    """Remove the images NAME, built or imported, with their templates and whatever no other image has."""
    store = open_store()
    _say_removed([entry for name in names for entry in remove_image(store, name)], as_json)


@image.command("source")
@click.argument("name")
@click.argument("directory", type=_file)
@_json
@_quiet
def source_command(name: str, directory: Path, as_json: bool, quiet: bool) -> None:
    """Unpack and configure the source of the image NAME in DIRECTORY, to change it and build it by hand."""
    with BuildProgress(quiet) as progress:
        prepared = prepare_source(name, directory, progress=progress)
    if as_json:
        _say_json({"directory": str(prepared.directory), "make": prepared.make, "import": prepared.import_})
        return
    click.echo(f"ready in {prepared.directory}; build with\n\n  {prepared.make}\n")
    click.echo(f"and boot the result as the image 'mine' after\n\n  {prepared.import_}")
