"""What a script says: steps, expressions and expectations, as frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ktrace.workload.tokens import Place, ScriptError


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything that stands somewhere in a script; two of them are equal wherever they stand."""

    place: Place = field(default=Place(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number as it was written: in base 8, 10 or 16."""

    value: int
    base: int = 10


@dataclass(frozen=True, slots=True)
class String(Node):
    """A string; *prefix* where ``...`` follows it, in an annotation."""

    value: bytes
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bound name, an actor, a constant, or ``_``."""

    name: str


@dataclass(frozen=True, slots=True)
class Abstract(Node):
    """An abstract socket name, ``@"name"``."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-x`` or ``~x``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """``x | y`` and the like."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Array(Node):
    """``[x, y]``: an array, or names for what the kernel writes there."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Braces(Node):
    """``{x, y}`` or ``{member=x, member=y}``: a struct; names are ``None`` in the first form."""

    items: tuple[tuple[str | None, Expression], ...]


@dataclass(frozen=True, slots=True)
class Form(Node):
    """``inet("127.0.0.1", 5000)`` and the like: a socket address."""

    name: str
    args: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Member(Node):
    """``x.member``."""

    operand: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """``x[number]``."""

    operand: Expression
    index: int


Expression = Number | String | Name | Abstract | Unary | Binary | Array | Braces | Form | Member | Index


@dataclass(frozen=True, slots=True)
class Condition(Node):
    """``x and not y`` behind ``if``: what must hold of the kernel.

    :param terms: names of changes or options (``ktrace/state/conditions.py``), and whether each must hold
    """

    terms: tuple[tuple[str, bool], ...]

    def holds(self, known: Mapping[str, bool | None]) -> bool | None:
        """Tell whether it holds; ``None`` where *known* does not say."""
        answers = [None if known.get(name) is None else known[name] == wanted for name, wanted in self.terms]
        return False if False in answers else None if None in answers else True


@dataclass(frozen=True, slots=True)
class Expectation(Node):
    """One thing that an annotation says about what a step makes happen.

    :param kind: ``returns``, ``fails``, ``blocked``, ``exited``, ``killed``, ``stopped``, ``continued`` or
        ``handles``
    :param actor: whose; ``None`` for the step's own
    :param word: the error's or the signal's name
    :param value: what is returned, the exit status; ``None`` where any will do
    :param outs: what is in the out values, with their names where given; or a signal's attributes
    :param condition: it is said of kernels of which this holds; *otherwise* of others, ``None`` for nothing
    """

    kind: str
    actor: str | None = None
    word: str = ""
    value: Expression | None = None
    outs: tuple[tuple[str | None, Expression], ...] = ()
    condition: Condition | None = None
    otherwise: Expectation | None = None

    def alternatives(self) -> Iterator[Expectation]:
        """Yield it, and what is said where its condition does not hold."""
        item: Expectation | None = self
        while item is not None:
            yield item
            item = item.otherwise

    def chosen(self, known: Mapping[str, bool | None]) -> Expectation | None:
        """Return the alternative that is said of a kernel; ``None`` where none is, or where nobody can tell."""
        for item in self.alternatives():
            if item.condition is None:
                return item
            holds = item.condition.holds(known)
            if holds is not False:
                return item if holds else None
        return None


@dataclass(frozen=True, slots=True)
class Step(Node):
    """One call of one actor, or one operation of the agent.

    :param actor: who acts; ``None`` for the agent
    :param name: the call
    :param args: its arguments in order, then *keywords*, those with a name
    :param value: name for what it returns, and *outs* names for out values: (out value, name)
    :param times: how often it is made, one after the other
    :param expectations: what its annotation says
    :param comments: the ``##`` lines above it, and *remark* the one behind it
    :param given: names that a ``repeat`` around it has set
    """

    actor: str | None
    name: str
    args: tuple[Expression, ...] = ()
    keywords: tuple[tuple[str, Expression], ...] = ()
    value: str | None = None
    outs: tuple[tuple[str, str], ...] = ()
    times: int = 1
    expectations: tuple[Expectation, ...] = ()
    comments: tuple[str, ...] = ()
    remark: str = ""
    given: tuple[tuple[str, int], ...] = ()

    @property
    def line(self) -> int:
        """The line that it stands in."""
        return self.place.line


@dataclass(frozen=True, slots=True)
class Repeat(Node):
    """Steps that are made several times; *counter* names a number that goes up from 0.

    :param condition: they are made on kernels of which it holds; ``when`` makes them once
    """

    count: int
    steps: tuple[Step | Repeat, ...]
    counter: str | None = None
    comments: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A workload.

    :param title: what it shows, one line
    :param steps: what is done
    :param name: its name in kebab-case, or empty
    :param comments: the ``##`` lines behind its last step
    :param functions: it asks for the kernel functions that its steps go through
    :param probes: where it asks to stop and what to show there (``parse_probe()``)
    :param source: where it was read from, for messages
    :param lines: what was read, likewise
    """

    title: str
    steps: tuple[Step | Repeat, ...] = ()
    name: str = ""
    comments: tuple[str, ...] = ()
    functions: bool = False
    probes: tuple[str, ...] = ()
    source: str = field(default="", compare=False)
    lines: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def wrong(self, text: str, place: Place, hint: str | None = None) -> ScriptError:
        """Return the error that says what is wrong at *place*, with the line and a caret."""
        line = self.lines[place.line - 1] if 0 < place.line <= len(self.lines) else None
        return ScriptError(text, place, hint, self.source or self.name, line)

    @property
    def initial(self) -> tuple[str, ...]:
        """The actors that are there when it begins: those that no ``spawn`` or ``fork`` brings up before they act."""
        found: dict[str, bool] = {}
        for step in unrolled(self.steps):
            created = created_actor(step)
            mentioned = [step.actor, *[one.actor for item in step.expectations for one in item.alternatives()]]
            for name in mentioned:
                if name is not None and name != created:
                    found.setdefault(name, True)
            if created is not None:
                found.setdefault(created, False)
        return tuple(name for name, initial in found.items() if initial)

    def length(self, known: Mapping[str, bool | None] | None = None) -> int:
        """Return how many steps it makes.

        :param known: what holds of the kernel, as :meth:`expanded` takes it
        """
        return len(self.initial) + number_of_steps(self.steps, known)

    def expanded(self, known: Mapping[str, bool | None] | None = None) -> Iterator[Step]:
        """Yield every step in order: the initial actors' spawns first, repeats unrolled.

        :param known: what holds of the kernel, where steps under a condition that does not hold are to be left out
        """
        for name in self.initial:
            yield Step(None, "spawn", (Name(name),))
        yield from unrolled(self.steps, known=known)


def number_of_steps(steps: tuple[Step | Repeat, ...], known: Mapping[str, bool | None] | None = None) -> int:
    """Return how many steps are made when every repetition is written out, without what does not hold."""
    found = 0
    for item in steps:
        if not isinstance(item, Repeat):
            found += item.times
        elif known is None or item.condition is None or item.condition.holds(known):
            found += item.count * number_of_steps(item.steps, known)
    return found


def created_actor(step: Step) -> str | None:
    """Return the actor that *step* brings up, if it is a spawn or a fork."""
    if step.name == "fork" and step.value is not None:
        return step.value
    if step.name == "spawn" and step.args and isinstance(step.args[0], Name):
        return step.args[0].name
    return None


def unrolled(
    steps: tuple[Step | Repeat, ...],
    given: tuple[tuple[str, Any], ...] = (),
    known: Mapping[str, bool | None] | None = None,
) -> Iterator[Step]:
    """Yield the steps with every repetition written out, without those whose condition does not hold."""
    for item in steps:
        if isinstance(item, Repeat):
            if known is not None and item.condition is not None and not item.condition.holds(known):
                continue
            for number in range(item.count):
                inner = given if item.counter is None else (*given, (item.counter, number))
                yield from unrolled(item.steps, inner, known)
        else:
            single = replace(item, times=1, given=given) if item.times != 1 or given else item
            yield single
            # What is said above a step is said once.
            again = replace(single, comments=()) if item.times > 1 and item.comments else single
            for _ in range(1, item.times):
                yield again
