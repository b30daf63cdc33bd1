"""``ktrace inspect``: show a guest's live structures."""

from __future__ import annotations

import json

import click

from ktrace.cli.output import console
from ktrace.cli.target import open_target
from ktrace.errors import UsageError
from ktrace.inspect.invariants.everything import validate as validate_all
from ktrace.inspect.socket_tables import TablesReader
from ktrace.report.ipcs import PERMS, details, tables
from ktrace.report.pictures import picture, subject
from ktrace.report.sockets import registered, table
from ktrace.report.structures import GROUPS, describe, select
from ktrace.state.codec import encode
from ktrace.state.naming import Namer
from ktrace.state.socket_tables import TABLES
from ktrace.state.world import World
from ktrace.trace.live import is_any_live

_TABLES = ("inetsw", "net_families", "protocols")
_ANY = "socketpair:1"
"""Where to look for what is the same in every guest of an image."""


@click.command()
@click.argument("what", type=click.Choice([*GROUPS, "all"]))
@click.argument("target", required=False)
@click.option("--image", default="lab-6.1", show_default=True, help="The image to run a workload on.")
@click.option("--json", "as_json", is_flag=True, help="Print data.")
@click.option("--picture/--no-picture", "pictures", default=True, help="Draw pipes, queues, ... above their members.")
@click.option("-s", "--semaphores", "chosen", flag_value="sem", help="ipcs: semaphore arrays only.")
@click.option("-q", "--queues", "chosen", flag_value="msg", help="ipcs: message queues only.")
@click.option("-m", "--shmems", "chosen", flag_value="shm", help="ipcs: shared memory segments only.")
@click.option("-i", "--id", "ipc_id", type=int, help="ipcs: all of the one with this id; with -s, -q or -m.")
@click.option("--validate", is_flag=True, help="Check everything against itself; exit code 1 if contradictory.")
def inspect(
    what: str,
    target: str | None,
    image: str,
    as_json: bool,
    pictures: bool,
    chosen: str | None,
    ipc_id: int | None,
    validate: bool,
) -> None:
    """Show WHAT of the guest that TARGET names.

    TARGET is a session whose guest still runs (default: the newest; see run --hold), or WORKLOAD[:STEP], which is
    run up to that step first. ipcs lists System V objects in the columns of ipcs(1), and what it does not see;
    sockets begin with a table in those of ss(8); inetsw, net_families and protocols are what socket() looks things
    up in, in lookup order.
    """
    if (chosen or ipc_id is not None) and what != "ipcs":
        raise UsageError("-s, -q, -m and -i belong to ipcs", "write ktrace inspect ipcs -s")
    if ipc_id is not None and chosen is None:
        raise UsageError("-i needs a kind", "add -s, -q or -m")
    if target is None and what in _TABLES and not is_any_live():
        target = _ANY
    with open_target(target, image) as inspector:
        world = Namer().name(inspector.observe())
        if what in _TABLES:
            # They are there even where no actor has a socket.
            registry = TablesReader(inspector.kernel).read()
            world = World({**world.objects, TABLES: registry})
        violations = validate_all(inspector.kernel) if validate else []
    for violation in violations:
        click.echo(str(violation), err=True)
    if what == "ipcs" and not as_json:
        _ipcs(world, chosen, ipc_id)
    elif what in _TABLES and not as_json:
        for line in registered(registry, what):
            click.echo(line)
    else:
        if what == "sockets" and not as_json and world.of_kind("sock"):
            for line in (*table(world), ""):
                click.echo(line)
        _structures(world, what, as_json, pictures)
    if violations:
        raise SystemExit(1)


def _ipcs(world: World, chosen: str | None, ipc_id: int | None) -> None:
    if chosen is not None and ipc_id is not None:
        lines = details(world, chosen, ipc_id)
        if lines is None:
            raise UsageError(f"no {chosen} with id {ipc_id}", "see ktrace inspect ipcs")
    else:
        lines = tables(world, [chosen] if chosen else list(PERMS))
    for line in lines:
        click.echo(line)


def _structures(world: World, what: str, as_json: bool, pictures: bool) -> None:
    found = select(world, what)
    if as_json:
        click.echo(json.dumps({f"{ref.kind}:{ref.key}": encode(value) for ref, value in found.items()}))
        return
    out = console()
    for ref, value in found.items():
        if pictures and subject(world, ref) == ref:
            for row in picture(world, ref):
                out.print(row)
        for line in describe(ref, value):
            click.echo(line)
    if not found:
        click.echo(f"no {what}", err=True)
