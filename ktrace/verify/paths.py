"""Expected function paths: which functions a call must go through, in which order, and which it must not.

A file ``NAME.paths`` beside a workload has one expectation a line::

    pipe2 = 0:    do_pipe2 > __do_pipe_flags > (create_pipe_files >> get_pipe_inode, get_unused_fd_flags)
    pipe2 = EINVAL:    not create_pipe_files
    B read woken:    pipe_read >> finish_wait

In front of the colon: whose call, which call, how it ended; in brackets, the line of the script. Behind it: ``a > b``
is b called by a, ``a >> b`` b called somewhere below a, ``a, b`` first a, then b. ``x|y`` is either, ``*`` stands for
any letters. A line may go on inside brackets, and after a comma, an arrow or the colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.workload.library import directory

SUFFIX = ".paths"
WOKEN = "woken"


@dataclass(frozen=True, slots=True)
class Item:
    """A function, and what has to happen in it.

    :param names: any of these; :param direct: called by the one before itself, not somewhere below
    """

    names: tuple[str, ...]
    direct: bool
    inner: tuple[Item, ...] = ()

    def __str__(self) -> str:
        text = "|".join(self.names)
        if not self.inner:
            return text
        parts = ", ".join(map(str, self.inner))
        return f"{text} {'>' if self.inner[0].direct else '>>'} " + (f"({parts})" if len(self.inner) > 1 else parts)

    def leaves(self) -> Iterator[Item]:
        """Yield this item and all inside it."""
        yield self
        for item in self.inner:
            yield from item.leaves()


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of a paths file.

    :param actor: whose call, ``""`` for anybody's; :param call: its name
    :param answer: how it must have ended for this to apply: a value, an errno, ``blocked``, ``ok``, ``error``,
        ``woken`` (it had been asleep in it, and went on in this step), or ``""``
    :param script_line: only the step of that line of the script, 0 for any
    :param never: the path must not be there
    :param line: in the paths file
    """

    actor: str
    call: str
    answer: str
    script_line: int
    never: bool
    path: tuple[Item, ...]
    line: int

    def __str__(self) -> str:
        return ("not " if self.never else "") + ", ".join(map(str, self.path))


def functions_by_call(expectations: tuple[Expectation, ...]) -> dict[str, list[str]]:
    """Return the functions that paths name, by call; under ``woken`` those of calls that go on after a sleep."""
    found: dict[str, dict[str, None]] = {}
    for expectation in expectations:
        if not expectation.never:
            names = found.setdefault(WOKEN if expectation.answer == WOKEN else expectation.call, {})
            names.update(
                dict.fromkeys(name for part in expectation.path for item in part.leaves() for name in item.names)
            )
    return {call: list(names) for call, names in found.items()}


_TOKEN = re.compile(r"\s*(>>|>|\(|\)|,|\||[A-Za-z_][\w.*]*|\*[\w.*]*|\S)")
_WHEN = re.compile(
    r"(?:\[(?P<line>\d+)\]\s*)?(?:(?P<actor>[A-Z]\w*)\s+)?(?P<call>[a-z_]\w*)(?:\s*=\s*(?P<answer>[\w-]+)|\s+(?P<woken>woken))?"
)


def parse_paths(text: str, source: str) -> tuple[Expectation, ...]:
    """Return the expectations in *text*.

    :raises UsageError: naming *source* and line of what cannot be read
    """
    return tuple([_parse_line(line, source, number) for number, line in _logical_lines(text)])


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of every line, with those that go on put together."""
    pending, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        goes_on = line.startswith((",", ">", ")")) or pending.endswith((",", ">", ":", "("))
        if pending and not goes_on and pending.count("(") <= pending.count(")"):
            yield first, pending
            pending = ""
        first = first if pending else number
        pending = f"{pending} {line}".strip()
    if pending:
        yield first, pending


def paths_file(workload: str) -> Path:
    """Return where the paths of a workload are: a bundled one's beside it, a script's likewise."""
    path = Path(workload) if "/" in workload or workload.endswith(".kt") else directory() / workload
    return path.with_suffix(SUFFIX) if path.suffix == ".kt" else path.with_name(path.name + SUFFIX)


def read_paths(path: Path) -> tuple[Expectation, ...]:
    """Return the expectations of a file, none if there is no such file.

    :raises UsageError: it cannot be read
    """
    try:
        return parse_paths(path.read_text("utf-8"), path.name)
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {str(path)!r}: {error}") from error


_HELP = "write CALL [= RESULT]: FUNCTION > FUNCTION, ..."


def _parse_line(text: str, source: str, line: int) -> Expectation:
    when, colon, pattern = text.partition(":")
    matched = _WHEN.fullmatch(when.strip())
    if not colon or matched is None:
        raise UsageError(f"{source}:{line}: {when.strip()!r} names no call", _HELP)
    pattern = pattern.strip()
    never = pattern.startswith("not ")
    tokens = _TOKEN.findall(pattern.removeprefix("not "))
    path, rest = _parse_sequence(tokens, False, source, line)
    if rest:
        raise UsageError(f"{source}:{line}: {' '.join(rest)!r} is too much", _HELP)
    return Expectation(
        matched["actor"] or "",
        matched["call"],
        matched["woken"] or matched["answer"] or "",
        int(matched["line"] or 0),
        never,
        path,
        line,
    )


def _parse_sequence(tokens: list[str], direct: bool, source: str, line: int) -> tuple[tuple[Item, ...], list[str]]:
    items: list[Item] = []
    while True:
        item, tokens = _parse_item(tokens, direct, source, line)
        items.append(item)
        if not tokens or tokens[0] != ",":
            return tuple(items), tokens
        tokens = tokens[1:]


def _parse_item(tokens: list[str], direct: bool, source: str, line: int) -> tuple[Item, list[str]]:
    names: list[str] = []
    while True:
        if not tokens or not re.match(r"[\w*]", tokens[0]):
            raise UsageError(f"{source}:{line}: a function is missing before {' '.join(tokens) or 'the end'!r}", _HELP)
        names.append(tokens[0])
        tokens = tokens[1:]
        if not tokens or tokens[0] != "|":
            break
        tokens = tokens[1:]
    inner: tuple[Item, ...] = ()
    if tokens and tokens[0] in (">", ">>"):
        below, tokens = tokens[0] == ">", tokens[1:]
        if tokens and tokens[0] == "(":
            inner, tokens = _parse_sequence(tokens[1:], below, source, line)
            if not tokens or tokens[0] != ")":
                raise UsageError(f"{source}:{line}: a bracket is not closed", _HELP)
            tokens = tokens[1:]
        else:
            item, tokens = _parse_item(tokens, below, source, line)
            inner = (item,)
    return Item(tuple(names), direct, inner), tokens
