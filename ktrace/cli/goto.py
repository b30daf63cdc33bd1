"""``ktrace goto``: the guest of a session as it was after a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import click

from ktrace.cli.guests import Guests
from ktrace.cli.hold import Still, announced, hold
from ktrace.cli.target import Opened
from ktrace.errors import UsageError
from ktrace.machine.checkpoints import Checkpoint, nearest_checkpoint
from ktrace.trace.past import Past
from ktrace.trace.session import new_directory
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.events import parse_event
from ktrace.verify.rerun import RanOtherwise, arrive, rerun

ATTEMPTS = 3
"""Second runs until one does what the session says: a kernel thread may come in between and take a pid."""
_COMMANDS = ("inspect", "shell", "dump")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("session", type=click.Path(path_type=Path))
@click.argument("step", type=click.IntRange(0))
@click.option("--hold", "held", is_flag=True, help="Keep the guest, for inspect, shell and dump from elsewhere.")
@click.option("--rerun", "anew", is_flag=True, help="Make the calls again even where a checkpoint is.")
@click.option("--moved", is_flag=True, help="Let objects lie at other addresses than the session says.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def goto(session: Path, step: int, held: bool, anew: bool, moved: bool, command: tuple[str, ...]) -> int:
    """Restore the guest of SESSION as it was after STEP, and do COMMAND there.

    COMMAND is inspect, shell or dump with their own arguments, such as: ktrace goto SESSION 12 inspect pipes. Without
    one, the guest is held. It is cloned from the last checkpoint (run --checkpoint) or from the image's template, and
    the session's calls since are made again, each compared with what the session says of it.
    """
    if command and command[0] not in _COMMANDS:
        raise UsageError(f"goto does not know {command[0]!r}", f"there are {', '.join(_COMMANDS)}")
    title = SessionReader(session).header.title
    with gone_to(session, step, anew, moved) as (still, vmlinux), announced(still, title, vmlinux) as place:
        if command:
            _do(command, place)
        if held or not command:
            hold(still.machine)
    return 0


def _do(command: tuple[str, ...], place: Path) -> None:
    """Have another command look at the guest that is held in *place*."""
    from ktrace.cli.main import cli

    name, *arguments = command
    cli.main(args=[name, *arguments, str(place)], prog_name="ktrace", standalone_mode=False)


@contextmanager
def gone_to(session: Path, number: int, anew: bool = False, moved: bool = False) -> Iterator[tuple[Still, Path]]:
    """Yield a guest that stands still as *session* had it after step *number*, and its kernel's vmlinux.

    :param anew: make the calls again even where a checkpoint is
    :param moved: let objects lie elsewhere than the session says
    :raises UsageError: there is no such step, the image is another one, or the guest did not do the same again
    """
    reader = SessionReader(session)
    manifest = reader.header.manifest
    found = None if anew else nearest_checkpoint(reader.path.parent, number)
    events = tuple(map(parse_event, manifest.get("events", ())))
    accel = manifest.get("accelerator")
    with Guests(
        str(manifest.get("image")),
        str(accel) if accel else None,
        functions=bool(manifest.get("functions")),
        events=events,
    ) as guests:
        image = guests.image
        if image.build_id != manifest.get("build_id"):
            raise UsageError(
                f"{str(session)!r} ran on another build of {image.name!r}: {manifest.get('build_id')!r}",
                "run the workload again",
            )
        attempts = ATTEMPTS
        if found is None and manifest.get("template") != guests.template.directory.name:
            click.echo(f"{image.name} was booted anew since, or its guest programs or QEMU have changed", err=True)
            attempts = 1
        for left in reversed(range(attempts)):
            with ExitStack() as stack:
                try:
                    still = _restored(stack, guests, session, number, found, moved)
                except RanOtherwise as error:
                    if not left:
                        raise
                    click.echo(f"{error.message}; once more", err=True)
                    continue
                yield still, image.vmlinux
                return


def _restored(
    stack: ExitStack, guests: Guests, session: Path, number: int, found: Checkpoint | None, moved: bool
) -> Still:
    """Return the guest after step *number*; it ends with *stack*.

    :raises RanOtherwise: the guest did not do the same again
    """
    reader = SessionReader(session)
    steps = reader.steps()
    past = Past(reader.header.initial, dict(reader.header.addresses))
    place = new_directory(f"goto-{number}")
    for recorded in islice(steps, 0 if found is None else found.step):
        past.follow(recorded)
    if found is not None and found.step == number:
        still = stack.enter_context(guests.still(found.template, place, found.vmcoreinfo, past))
        arrive(past, still.opened, exact=True)
        click.echo(f"after step {number}: its checkpoint", err=True)
        return still
    lab, machine = stack.enter_context(guests.lab(place, None if found is None else (found.template, past)))
    tracer = guests.tracer(lab, machine)
    opened = Opened(lab.inspector, lab.namer)
    if found is None:
        arrive(past, opened, exact=False, moved=moved)
    rerun(past, steps, number, lab, tracer, machine.pause, moved)
    click.echo(_where(number if found is None else number - found.step, found), err=True)
    return Still(opened, machine, lab.vmcoreinfo)


def _where(again: int, found: Checkpoint | None) -> str:
    begin = "the template" if found is None else f"the checkpoint after step {found.step}"
    return f"from {begin}, {again} calls made again, each as recorded"
