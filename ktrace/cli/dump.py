"""``ktrace dump``: a guest's memory as a vmcore, for crash, drgn and gdb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ktrace.cli.target import open_live
from ktrace.errors import UsageError
from ktrace.inspect.memory import START_KERNEL_MAP
from ktrace.machine.vmcore import CoreNotes, write_vmcore
from ktrace.trace.live import FILE_NAME, LiveMemory, newest_live, read_live


@click.command()
@click.argument("target", required=False)
@click.argument("step", required=False, type=click.IntRange(0))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write."
)
@click.option("--image", default="lab-6.1", show_default=True, help="The image to run a workload on.")
def dump(target: str | None, step: int | None, output: Path, image: str) -> None:
    """Write the memory of the guest that TARGET names to an ELF vmcore.

    TARGET is a session whose guest still runs (default: the newest), a session and a STEP to go back to (see goto), or
    WORKLOAD[:STEP]. Open it with: crash VMLINUX FILE, drgn -c FILE -s VMLINUX, or ktrace inspect all FILE.
    """
    with _held(target, step, image) as place:
        dump_live(place, output)
        vmlinux = read_live(place).vmlinux
    click.echo(f"{output}: {output.stat().st_blocks * 512 >> 20} MiB; its kernel: {vmlinux}", err=True)


def dump_live(place: Path, output: Path) -> None:
    """Write the guest that is held in *place* to *output*.

    :raises UsageError: none is held there
    :raises HostError: no room
    """
    live = read_live(place)
    kernel = open_live(place).inspector.kernel
    text = kernel.address_of("_text")
    segments = {kernel.memory.page_offset: 0, text: text - START_KERNEL_MAP + kernel.memory.phys_base}
    notes = CoreNotes(
        live.vmcoreinfo.encode(), live.registers, live.image, live.title, live.actors, live.ever, live.addresses
    )
    write_vmcore(output, LiveMemory(live), segments, notes)


@contextmanager
def _held(target: str | None, step: int | None, image: str) -> Iterator[Path]:
    """Yield the directory in which the guest that *target* names is announced."""
    if target is None or (step is None and (Path(target) / FILE_NAME).exists()):
        yield newest_live() if target is None else Path(target)
        return
    from ktrace.cli.goto import gone_to
    from ktrace.cli.guests import Guests
    from ktrace.cli.hold import announced
    from ktrace.trace.session_reader import SessionReader

    if step is not None:
        title = SessionReader(Path(target)).header.title
        with gone_to(Path(target), step) as (still, vmlinux), announced(still, title, vmlinux) as place:
            yield place
        return
    if Path(target).is_dir():
        raise UsageError(f"{target!r} has no running guest", f"say which step: ktrace dump {target} STEP")
    name, _, number = target.partition(":")
    if number and not number.isdigit():
        raise UsageError(f"no step {number!r}", "write WORKLOAD:NUMBER")
    with (
        Guests(image) as guests,
        guests.taken_to(name, int(number) if number else None) as still,
        announced(still, target, guests.image.vmlinux) as place,
    ):
        yield place
