"""Keep a guest for other commands to look at."""

from __future__ import annotations

import os
import select
import sys

import click

from ktrace.verify.paused import PausedGuest

LOOK_SECONDS = 0.5
"""between two looks whether the guest still lives"""


def hold(guest: PausedGuest) -> None:
    """Keep the guest until the person has seen enough.

    :raises GuestError: it is lost
    """
    click.echo(
        "holding the guest; look at it with: ktrace inspect all, ktrace shell, ktrace console. Enter or Ctrl-C ends it",
        err=True,
    )
    try:
        while not _enough():
            guest.machine.check()
    except KeyboardInterrupt:
        click.echo("", err=True)
    guest.machine.check()


def _enough() -> bool:
    """Wait a moment for Enter or the end of standard input."""
    if sys.stdin is None:
        return True
    stdin = sys.stdin.fileno()
    if not select.select([stdin], [], [], LOOK_SECONDS)[0]:
        return False
    data = os.read(stdin, 1 << 12)
    return not data or b"\n" in data
