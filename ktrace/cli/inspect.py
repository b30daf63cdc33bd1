"""``ktrace inspect``: show a guest's live structures."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from ktrace.cli.mistakes import Choice
from ktrace.cli.options import TargetName, guest_options
from ktrace.cli.output import console, notify
from ktrace.cli.progress import Progress
from ktrace.errors import UsageError
from ktrace.report.ipcs import PERMS, details, listing
from ktrace.report.pictures import picture, subject
from ktrace.report.sockets import registered, table
from ktrace.report.structures import GROUPS, describe, select
from ktrace.state.codec import encode
from ktrace.state.net.socket_tables import TABLES
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.live import is_any_live
from ktrace.verify.options import GuestOptions
from ktrace.verify.targets import open_target

_TABLES = ("inetsw", "net_families", "protocols")
_ANY = "socketpair:1"
"""Where to look for what is the same in every guest of an image."""


def _number(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return a number that may be written in any of C's bases."""
    try:
        return None if value is None else int(value, 0)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no number", ctx, parameter) from None


@click.command()
@click.argument("what", type=Choice([*GROUPS, "all"]), metavar="WHAT")
@click.argument("target", required=False, type=TargetName())
@guest_options("The image to run a workload on.")
@click.option("--json", "as_json", is_flag=True, help="Print data.")
@click.option("--picture/--no-picture", "pictures", default=True, help="Draw pipes, queues, ... above their members.")
@click.option("-s", "--semaphores", "sem", is_flag=True, help="ipcs: semaphore arrays.")
@click.option("-q", "--queues", "msg", is_flag=True, help="ipcs: message queues.")
@click.option("-m", "--shmems", "shm", is_flag=True, help="ipcs: shared memory segments.")
@click.option("-i", "--id", "ipc_id", callback=_number, help="All of the one with this id or address; with -s, -q, -m.")
@click.option("-t", "--time", "view", flag_value="time", help="ipcs: times.")
@click.option("-p", "--pid", "view", flag_value="pid", help="ipcs: who used it last.")
@click.option("-c", "--creator", "view", flag_value="creator", help="ipcs: creators and owners.")
@click.option("-l", "--limits", "view", flag_value="limits", help="ipcs: limits.")
@click.option("-u", "--summary", "view", flag_value="summary", help="ipcs: totals, and where ids go on.")
@click.option("-M", "--pages", "view", flag_value="memory", help="ipcs: pages of segments, as crash's ipcs -M.")
@click.option("-n", "--namespace", "actor", metavar="ACTOR", help="ipcs: the namespace that ACTOR is in.")
@click.option(
    "-a", "--addresses", "with_addresses", is_flag=True, help="ipcs: where each object lies, as crash's ipcs."
)
@click.option("--validate", is_flag=True, help="Check everything against itself; exit code 1 if contradictory.")
def inspect(
    what: str,
    target: str | None,
    guest: GuestOptions,
    as_json: bool,
    pictures: bool,
    sem: bool,
    msg: bool,
    shm: bool,
    ipc_id: int | None,
    view: str | None,
    actor: str | None,
    with_addresses: bool,
    validate: bool,
) -> None:
    """Show WHAT of the guest that TARGET names: pipes, sem, undo, msg, shm, ipcs, sockets, files, processes, all,
    inetsw, net_families or protocols.

    TARGET is a session whose guest still runs (default: the newest; see run --hold), or WORKLOAD[:STEP], which is
    run up to that step first. ipcs lists System V objects in the columns of ipcs(1), and what it does not see;
    sockets begin with a table in those of ss(8); inetsw, net_families and protocols are what socket() looks things
    up in, in lookup order.
    """
    kinds = [kind for kind, asked in (("sem", sem), ("msg", msg), ("shm", shm)) if asked]
    if (kinds or view or actor or with_addresses) and what != "ipcs":
        raise UsageError("-s, -q, -m, -t, -p, -c, -l, -u, -M, -n and -a belong to ipcs", "write ktrace inspect ipcs -s")
    if ipc_id is not None:
        kinds = [what] if what in PERMS else kinds
        if len(kinds) != 1:
            raise UsageError("-i needs a kind", "add -s, -q or -m")
    if target is None and what in _TABLES and not is_any_live():
        target = _ANY
    with Progress("running") as progress, open_target(target, guest, notify, progress) as opened:
        progress.clear()
        world = opened.look(tables=what in _TABLES)
        addresses = opened.ipc_addresses()
        violations = opened.validate() if validate else []
    for violation in violations:
        click.echo(str(violation), err=True)
    if ipc_id is not None and not as_json:
        _one(world, kinds[0], ipc_id, addresses)
    elif what == "ipcs" and not as_json:
        kinds = kinds or list(PERMS)
        try:
            for line in listing(world, kinds, view, actor, addresses if with_addresses else None):
                click.echo(line)
        except LookupError:
            raise UsageError(f"no actor {actor!r} lives", "see ktrace inspect processes") from None
    elif what in _TABLES and not as_json:
        for line in registered(world.objects[TABLES], what):
            click.echo(line)
    else:
        if what == "sockets" and not as_json and world.of_kind("sock"):
            for line in (*table(world), ""):
                click.echo(line)
        _structures(world, what, as_json, pictures)
    if violations:
        raise SystemExit(1)


def _one(world: World, kind: str, ipc_id: int, addresses: Mapping[Ref, int]) -> None:
    lines = details(world, kind, ipc_id, addresses)
    if lines is None:
        raise UsageError(f"no {kind} with id {ipc_id}", "see ktrace inspect ipcs")
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
