"""``ktrace dump``: a guest's memory as a vmcore, for crash, drgn and gdb."""

from __future__ import annotations

from pathlib import Path

import click

from ktrace.cli.options import TargetName, guest_options
from ktrace.cli.output import notify
from ktrace.cli.progress import Progress
from ktrace.trace.live import read_live
from ktrace.verify.options import GuestOptions
from ktrace.verify.targets import dump_live, hold_target


@click.command()
@click.argument("target", required=False, type=TargetName())
@click.argument("step", required=False, type=click.IntRange(0))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write."
)
@guest_options("The image to run a workload on.")
def dump(target: str | None, step: int | None, output: Path, guest: GuestOptions) -> None:
    """Write the memory of the guest that TARGET names to an ELF vmcore.

    TARGET is a session whose guest still runs (default: the newest), a session and a STEP to go back to (see goto), or
    WORKLOAD[:STEP]. Open it with: crash VMLINUX FILE, drgn -c FILE -s VMLINUX, or ktrace inspect all FILE.
    """
    with Progress("running") as progress, hold_target(target, step, guest, notify, progress) as place:
        progress.clear()
        dump_live(place, output)
        vmlinux = read_live(place).vmlinux
    click.echo(f"{output}: {output.stat().st_blocks * 512 >> 20} MiB; its kernel: {vmlinux}", err=True)
