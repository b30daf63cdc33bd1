"""The manual page, written from what every command says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

import click

from ktrace.version import VERSION

_AS_IT_IS = "\b"
"""What click has in front of a paragraph whose lines stay as they are."""
_EXIT_STATUS = (
    ("0", "all agreed"),
    ("1", "a divergence, and nothing else"),
    ("2", "your input, also a session that was cut off"),
    ("3", "this machine"),
    ("4", "the guest"),
    ("5", "a bug of ktrace"),
    ("6", "a goal or a check that falls short"),
    ("130", "interrupted"),
)
_ENVIRONMENT = (
    ("XDG_CACHE_HOME", "the store of images and sessions is in its directory ktrace; default ~/.cache"),
    ("KTRACE_IMAGES", "directories of recipes, with colons between; those of ./images are found, too"),
    ("KTRACE_TRACEBACK", "if set, errors come with where in ktrace they were found"),
    ("NO_COLOR, FORCE_COLOR", "if set, never or always print colours"),
)


def man_page(program: click.Context) -> str:
    """Return ktrace(1) in roff.

    :param program: context of the command line as a whole
    """
    return "\n".join(_lines(program)) + "\n"


def _lines(program: click.Context) -> Iterator[str]:
    command = program.command
    assert isinstance(command, click.Group)
    help_text = inspect.cleandoc(command.help or "").partition("\n\n")[0]
    yield f'.TH KTRACE 1 "" "ktrace {VERSION}" "User Commands"'
    yield from (".ad l", ".SH NAME", f"ktrace \\- {_text(help_text.rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B ktrace", "[OPTIONS] COMMAND [ARGUMENTS]")
    yield from (".SH OPTIONS", *_options(command, program))
    yield ".SH COMMANDS"
    for path, context in _commands(command, program):
        pieces = context.command.collect_usage_pieces(context)
        yield from (".SS " + _text(f"ktrace {path} {' '.join(pieces)}"), *_paragraphs(context.command.help or ""))
        yield from _options(context.command, context)
    yield from (".SH EXIT STATUS", *_entries(_EXIT_STATUS))
    yield from (".SH ENVIRONMENT", *_entries(_ENVIRONMENT))


def _commands(group: click.Group, context: click.Context, before: str = "") -> Iterator[tuple[str, click.Context]]:
    """Yield every command below *group*, by the words that name it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield f"{before}{name}", inner
        if isinstance(command, click.Group):
            yield from _commands(command, inner, f"{before}{name} ")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = (param.get_help_record(context) for param in command.get_params(context))
    yield from _entries(record for record in records if record is not None)


def _entries(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in entries:
        yield from (".TP", f".B {_text(name)}", _text(text) or "\\&")


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(text).split("\n\n")):
        if number:
            yield ".PP"
        if paragraph.startswith(_AS_IT_IS):
            yield from (".nf", *map(_text, paragraph.removeprefix(_AS_IT_IS).strip("\n").splitlines()), ".fi")
        else:
            yield _text(" ".join(paragraph.split()))


def _text(text: str) -> str:
    """Return *text* as roff has it: no line of it is a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
