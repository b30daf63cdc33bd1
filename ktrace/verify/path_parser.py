"""Read files of expected paths.

A file ``NAME.paths`` beside a workload has one expectation a line::

    pipe2 = 0:    do_pipe2 > __do_pipe_flags > (create_pipe_files >> get_pipe_inode, get_unused_fd_flags)
    pipe2 = EINVAL:    not create_pipe_files
    B read woken:    pipe_read >> finish_wait
    close = 0:    filp_flush, __fput_sync if close_fput_sync else close_fd > filp_close > fput

In front of the colon: whose call, which call, how it ended; in brackets, the line of the script. Behind it: ``a > b``
is b called by a, ``a >> b`` b called somewhere below a, ``a, b`` first a, then b. ``x|y`` is either, ``*`` stands for
any letters. Behind ``if`` stands of which kernels it is said (docs/annotations.md), behind ``else`` what is said of
others. A line may go on inside brackets, after a comma, an arrow or the colon, and before ``if`` and ``else``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.state.conditions import condition_names
from ktrace.suggest import did_you_mean
from ktrace.verify.paths import Expectation, Item
from ktrace.workload.script import Condition

KEYWORDS = frozenset({"not", "if", "and", "else"})

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
        goes_on = line.startswith((",", ">", ")", "if ", "else ")) or pending.endswith((",", ">", ":", "("))
        if pending and not goes_on and pending.count("(") <= pending.count(")"):
            yield first, pending
            pending = ""
        first = first if pending else number
        pending = f"{pending} {line}".strip()
    if pending:
        yield first, pending


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


_HELP = "write CALL [= RESULT]: FUNCTION > FUNCTION, ... [if CONDITION [else FUNCTION > ...]]"


def _parse_line(text: str, source: str, line: int) -> Expectation:
    when, colon, pattern = text.partition(":")
    matched = _WHEN.fullmatch(when.strip())
    if not colon or matched is None:
        raise UsageError(f"{source}:{line}: {when.strip()!r} names no call", _HELP)
    said = Expectation(
        actor=matched["actor"] or "",
        call=matched["call"],
        answer=matched["woken"] or matched["answer"] or "",
        script_line=int(matched["line"] or 0),
        never=False,
        path=(),
        line=line,
    )
    return _Parser(_TOKEN.findall(pattern), f"{source}:{line}").whole(said)


class _Parser:
    """Read what stands behind the colon.

    :param where: file and line, for messages
    """

    def __init__(self, tokens: list[str], where: str) -> None:
        self._tokens = tokens
        self._where = where

    def whole(self, said: Expectation) -> Expectation:
        """Read all there is: the path of *said*, and those that are said of other kernels."""
        found = self._alternative(said)
        if self._tokens:
            raise self._wrong(f"{' '.join(self._tokens)!r} is too much")
        return found

    def _alternative(self, said: Expectation) -> Expectation:
        never = self._accept("not")
        found = replace(said, never=never, path=self._sequence(direct=False))
        if not self._accept("if"):
            return found
        condition = self._condition()
        return replace(found, condition=condition, otherwise=self._alternative(said) if self._accept("else") else None)

    def _condition(self) -> Condition:
        terms: list[tuple[str, bool]] = []
        while True:
            wanted = not self._accept("not")
            word = self._tokens.pop(0) if self._tokens else "the end"
            if word not in condition_names():
                hint = did_you_mean(word, condition_names()) or "docs/annotations.md lists them"
                raise self._wrong(f"unknown condition {word!r}", hint)
            terms.append((word, wanted))
            if not self._accept("and"):
                return Condition(tuple(terms))

    def _sequence(self, direct: bool) -> tuple[Item, ...]:
        items = [self._item(direct)]
        while self._accept(","):
            items.append(self._item(direct))
        return tuple(items)

    def _item(self, direct: bool) -> Item:
        names = [self._name()]
        while self._accept("|"):
            names.append(self._name())
        if self._accept(">"):
            return Item(tuple(names), direct, self._inner(direct=True))
        if self._accept(">>"):
            return Item(tuple(names), direct, self._inner(direct=False))
        return Item(tuple(names), direct)

    def _inner(self, direct: bool) -> tuple[Item, ...]:
        if not self._accept("("):
            return (self._item(direct),)
        items = self._sequence(direct)
        if not self._accept(")"):
            raise self._wrong("a bracket is not closed")
        return items

    def _name(self) -> str:
        if not self._tokens or self._tokens[0] in KEYWORDS or not re.match(r"[\w*]", self._tokens[0]):
            raise self._wrong(f"a function is missing before {' '.join(self._tokens) or 'the end'!r}")
        return self._tokens.pop(0)

    def _accept(self, token: str) -> bool:
        """Take *token* if it comes next."""
        if not self._tokens or self._tokens[0] != token:
            return False
        del self._tokens[0]
        return True

    def _wrong(self, what: str, hint: str = _HELP) -> UsageError:
        return UsageError(f"{self._where}: {what}", hint)
