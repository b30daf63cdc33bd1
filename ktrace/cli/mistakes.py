"""What click finds wrong with a command line, told as everything else is: one line, whose fault, what to do."""

from __future__ import annotations

import errno
import os
import re

import click

from ktrace.errors import HostError, UsageError
from ktrace.suggest import did_you_mean


class Choice(click.Choice[str]):
    """One of several words; a word that is none of them is told with those that are like it."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return *value*.

        :raises UsageError: it is none of the words
        """
        if value in self.choices:
            return value
        what = "" if param is None else f"{_named(param)}: "
        known = f"there are {', '.join(self.choices)}"
        raise UsageError(f"{what}{value!r} is not known", did_you_mean(value, self.choices, known))


class Group(click.Group):
    """Verbs below a verb; one that there is not is told with those that are like it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that *args* begin with.

        :raises UsageError: there is none of that name
        """
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            hint = did_you_mean(args[0], known, f"there are {', '.join(known)}")
            where = f"{ctx.info_name} " if ctx.parent is not None else ""
            raise UsageError(f"no command {where + args[0]!r}", hint)
        return super().resolve_command(ctx, args)


def told(error: click.ClickException) -> UsageError:
    """Return what to say of *error*."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    see = None if context is None else f"see: {context.command_path} --help"
    if isinstance(error, click.NoSuchOption):
        known = [] if context is None else [name for item in context.command.params for name in item.opts]
        close = did_you_mean(error.option_name.lstrip("-"), [name.lstrip("-") for name in known])
        return UsageError(f"no option {error.option_name!r}", close or see)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return UsageError(f"{_named(error.param)} is missing", see)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return UsageError(f"{_named(error.param)}: {_plain(error.message)}", see)
    return UsageError(_plain(error.format_message()), see)


def _named(param: click.Parameter) -> str:
    if isinstance(param, click.Argument):
        return (param.metavar or param.human_readable_name).upper()
    return max(param.opts, key=len)


def _plain(message: str) -> str:
    """Return a sentence of click's in our style."""
    message = re.sub(r"is not a valid (integer|float)( range)?", "is no number", message.strip().removesuffix("."))
    return message[:1].lower() + message[1:]


def of_host(error: OSError) -> HostError:
    """Return what to say of an error that nobody expected this machine to make."""
    what = os.strerror(error.errno) if error.errno else str(error)
    hint = "free some space there" if error.errno == errno.ENOSPC else None
    return HostError(f"{error.filename!r}: {what}" if error.filename else what, hint)
