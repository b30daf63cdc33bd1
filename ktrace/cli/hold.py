"""Keep a guest for other commands to look at."""

from __future__ import annotations

import sys

import click

from ktrace.verify.paused import PausedGuest


def hold(guest: PausedGuest) -> None:
    """Keep the guest until the person has seen enough."""
    click.echo(
        "holding the guest; look at it with: ktrace inspect all, ktrace shell. Enter or Ctrl-C ends it", err=True
    )
    try:
        sys.stdin.readline()
    except KeyboardInterrupt:
        click.echo("", err=True)
    guest.machine.check()
