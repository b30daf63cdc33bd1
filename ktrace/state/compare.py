"""Compare an observed value with an expected one and name every field that differs."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ktrace.state.allowed import Answers, Anything, Between, EndOf, Moves, OneOf, Stays
from ktrace.state.map_refs import rename
from ktrace.state.order import unordered_fields
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.unread import Unread
from ktrace.state.world import World


class _Absent:
    def __repr__(self) -> str:
        return "absent"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""Stands on the side that lacks an object, a key or an element."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Name one field on which kernel and model disagree.

    :param path: such as ``pipe1.head`` or ``sem ns1/0.sems[1].semval``
    :param observed: what the kernel holds; :data:`ABSENT` where it has nothing
    :param expected: what the model allows
    """

    path: str
    observed: Any
    expected: Any


Agreed = dict[Ref, tuple[Any, Any, int]]
"""Pairs of objects that were compared and agree, with how many fields were only held to a rule: the very same two
need not be compared again."""


@dataclass
class Held:
    """Note which fields were only held to a rule.

    :param fields: how many of all that a World has
    :param choices: those of them that were not so in the last comparison
    """

    fields: int = 0
    choices: list[Choice] = field(default_factory=list)


def compare(
    observed: World,
    expected: World,
    agreed: Agreed | None = None,
    held: Held | None = None,
    unsure: set[str] | None = None,
) -> list[Difference]:
    """Return every difference between two Worlds, objects in the order of their names.

    :param agreed: what earlier comparisons found equal; kept up to date
    :param held: told of the fields for which the expected value is a set
    :param unsure: kinds of objects of which it is not known who is who, since others could not be read; kept up to
        date, as names stay what they are
    """
    seen, wanted = observed.objects, expected.objects
    unsure = set() if unsure is None else unsure
    unread: list[Ref] = []
    held = Held() if held is None else held
    if agreed is None:
        agreed = {}
    differing: list[tuple[Ref, list[Difference]]] = []
    for ref, value in wanted.items():
        other = seen.get(ref, ABSENT)
        if other is value or (other is ABSENT and (ref.kind in unsure or _is_partial(seen))):
            continue
        pair = agreed.get(ref)
        if pair is not None and pair[0] is other and pair[1] is value:
            held.fields += pair[2]
            continue
        # What holds an allowed set is never equal to what was observed: the walk decides.
        choices: list[Choice] = []
        found = [] if other == value else list(differ(label(ref), other, value, choices))
        held.fields += len(choices)
        if other.__class__ is Unread:
            unread.append(ref)
        if choices and (pair is None or pair[0] != other or pair[1] != value):
            held.choices += choices
        if found:
            differing.append((ref, found))
        else:
            agreed[ref] = (other, value, len(choices))
    if len(agreed) > 2 * len(wanted) + 64:
        for gone in agreed.keys() - wanted.keys():
            del agreed[gone]
    differing += [(ref, list(differ(label(ref), value, ABSENT))) for ref, value in seen.items() if ref not in wanted]
    if unread:
        unsure |= _met_elsewhere(unread, wanted)
    if differing and (unsure or _is_partial(seen)):
        kinds = unsure | {ref.kind for ref, value in seen.items() if isinstance(value, Unread)}
        differing = [
            (ref, [item for item in found if not _is_misnamed(item, kinds)])
            for ref, found in differing
            if ref.kind not in unsure or not str(ref.key).startswith(ref.kind)
        ]
    differing.sort(key=lambda item: (item[0].kind, str(item[0].key)))
    return [difference for _, found in differing for difference in found]


def _met_elsewhere(unread: Iterable[Ref], wanted: Mapping[Ref, Any]) -> set[str]:
    """Return the kinds of what is reached through objects that could not be read: who of them is who is not known.

    They are named in the order of meeting them.
    """
    found: set[Ref] = set()
    pending = list(unread)

    def note(ref: Ref) -> Ref:
        if ref not in found:
            found.add(ref)
            pending.append(ref)
        return ref

    while pending:
        at = pending.pop()
        if at in wanted and at.kind != "process":
            rename(wanted[at], note)
    return {ref.kind for ref in found}


def _is_partial(seen: Mapping[Ref, Any]) -> bool:
    """Tell whether an object could not be read at all: what only it leads to is not there either."""
    return any(isinstance(value, Unread) for value in seen.values())


def _is_misnamed(difference: Difference, kinds: Container[str]) -> bool:
    """Tell whether only names differ, where an object could not be read: what it leads to is met later, or never."""
    observed, expected = difference.observed, difference.expected
    if expected is ABSENT and is_dataclass(observed):
        return True
    if not isinstance(observed, Ref) or not isinstance(expected, Ref):
        return False
    return observed.kind == "stranger" or (observed.kind == expected.kind and observed.kind in kinds)


def label(ref: Ref) -> str:
    """Return an object's name for people: its kind, unless the name starts with it."""
    return str(ref) if str(ref.key).startswith(ref.kind) else f"{ref.kind} {ref.key}"


def differ(path: str, observed: Any, expected: Any, held: list[Choice] | None = None) -> Iterator[Difference]:
    """Yield the differences between two values of the same shape.

    :param held: told of the fields for which the expected value is a set
    """
    if isinstance(observed, Unread):
        return  # this kernel has no such member
    if isinstance(expected, (Between, OneOf, Answers, EndOf, Anything, Stays, Moves)):
        fits = expected.admits(observed)
        if held is not None:
            held.append(Choice(expected.rule, observed, fits, path))
        if not fits:
            yield Difference(path, observed, expected)
    elif type(observed) is not type(expected):
        yield Difference(path, observed, expected)
    elif is_dataclass(expected) and not isinstance(expected, type):
        for name in field_names(type(expected)):
            seen, wanted = getattr(observed, name), getattr(expected, name)
            if seen is not wanted and seen != wanted:
                rule = unordered_fields(type(expected)).get(name)
                if rule is None or not isinstance(seen, tuple) or not isinstance(wanted, tuple):
                    yield from differ(f"{path}.{name}", seen, wanted, held)
                else:
                    yield from _differ_in_any_order(f"{path}.{name}", seen, wanted, rule, held)
    elif isinstance(expected, Mapping):
        for key in sorted(observed.keys() | expected.keys(), key=str):
            yield from differ(f"{path}[{key}]", observed.get(key, ABSENT), expected.get(key, ABSENT), held)
    elif isinstance(expected, tuple) and not hasattr(expected, "_fields"):
        for index in range(max(len(observed), len(expected))):
            seen = observed[index] if index < len(observed) else ABSENT
            wanted = expected[index] if index < len(expected) else ABSENT
            if seen is not wanted and seen != wanted:
                yield from differ(f"{path}[{index}]", seen, wanted, held)
    elif observed != expected:
        yield Difference(path, observed, expected)


def _differ_in_any_order(
    path: str, observed: tuple[Any, ...], expected: tuple[Any, ...], rule: Rule, held: list[Choice] | None
) -> Iterator[Difference]:
    """Yield the differences between two lists whose order *rule* leaves open: what is left when all pairs are found."""
    missing = list(expected)
    strange = []
    for value in observed:
        at = next((index for index, other in enumerate(missing) if not any(differ(path, value, other))), None)
        if at is None:
            strange.append(value)
        else:
            missing.pop(at)
    if not missing and not strange:
        if held is not None:
            held.append(Choice(rule, observed, True, path))
        return
    yield from differ(path, tuple(strange), tuple(missing), held)


def count_fields(value: Any) -> int:
    """Count the leaf fields that a comparison of *value* looks at."""
    cls: Any = value.__class__
    if cls in _LEAVES:
        return 1
    if cls is tuple:
        return sum([count_fields(item) for item in value])
    if cls is dict:
        return sum([count_fields(item) for item in value.values()])
    if not is_dataclass(value):
        return 1
    leaves, rest = _leaves(cls)
    for name in rest:
        leaves += count_fields(getattr(value, name))
    return leaves


_LEAVES = frozenset({int, str, bytes, bool, type(None), Ref})


@cache
def _leaves(cls: Any) -> tuple[int, tuple[str, ...]]:
    """Return how many members of a dataclass are declared as leaves, and the names of the others."""
    hints = get_type_hints(cls)
    rest = tuple(name for name in field_names(cls) if not _is_leaf(hints[name]))
    return len(field_names(cls)) - len(rest), rest


def _is_leaf(hint: Any) -> bool:
    return hint in _LEAVES or (get_origin(hint) is UnionType and all(_is_leaf(inner) for inner in get_args(hint)))


@cache
def field_names(cls: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields."""
    return tuple(field.name for field in fields(cls))
