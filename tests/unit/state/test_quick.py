"""What is made quickly is what dataclasses would have made."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from ktrace.state import codec
from ktrace.state.allowed import Moves, Stays
from ktrace.state.compare import Held
from ktrace.state.quick import dataclass as quick


@dataclass(frozen=True, slots=True)
class Slow:
    """As it is written."""

    one: int
    two: str = "two"
    three: tuple[int, ...] = ()
    four: dict[str, int] = field(default_factory=dict)


@quick(frozen=True, slots=True)
class Quick:
    """The same."""

    one: int
    two: str = "two"
    three: tuple[int, ...] = ()
    four: dict[str, int] = field(default_factory=dict)


@quick(frozen=True, slots=True, kw_only=True)
class Named:
    """By keyword alone."""

    one: int
    two: int = 2


@quick(frozen=True, slots=True)
class Told:
    """It has something to say."""

    one: int

    def __repr__(self) -> str:
        return "told"


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((1,), {}), ((1, "x"), {}), ((), {"one": 1, "four": {"a": 1}}), ((1, "x", (2,), {"b": 2}), {}), ((), {"one": 0})],
)
def test_it_holds_the_same(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    slow, made = Slow(*args, **kwargs), Quick(*args, **kwargs)
    assert type(made) is Quick
    assert repr(made) == repr(slow).replace("Slow", "Quick")
    assert made == Quick(*args, **kwargs) and made != slow
    assert copy.copy(made) == made and pickle.loads(pickle.dumps(made)) == made
    assert replace(made, two="y") == Quick(made.one, "y", made.three, made.four)


def test_each_has_a_default_of_its_own() -> None:
    assert Quick(1).four is not Quick(1).four


def test_it_is_told_from_others() -> None:
    made = Quick(1, four={})
    assert made == Quick(1) and made != Quick(2) and made != 1 and made is not None
    assert hash(Named(one=1)) == hash(Named(one=1)) == hash((1, 2)) and len({Named(one=1), Named(one=1, two=3)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(made)
    match made:
        case Quick(1, two):
            assert two == "two"
        case _:
            pytest.fail("its members have no order")


def test_dataclasses_knows_it() -> None:
    assert is_dataclass(Quick) and [item.name for item in fields(Quick)] == ["one", "two", "three", "four"]
    assert Quick.__dataclass_params__.__repr__() == Slow.__dataclass_params__.__repr__()  # type: ignore[attr-defined]
    assert asdict(Quick(1)) == asdict(Slow(1))


def test_a_method_of_its_own_is_left_alone() -> None:
    assert repr(Told(1)) == "told" and Told(1) == Told(1)


def test_it_is_frozen() -> None:
    made = Quick(1)
    with pytest.raises(FrozenInstanceError):
        made.one = 2  # type: ignore[misc]
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        made.five = 5  # type: ignore[attr-defined]
    with pytest.raises((FrozenInstanceError, TypeError)):
        made.__class__ = Slow  # type: ignore[assignment]
    with pytest.raises(FrozenInstanceError):
        del made.one


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, 3, 4, 5), {}), ((1,), {"one": 1}), ((1,), {"six": 6})])
def test_wrong_arguments_are_told_in_the_same_words(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as slow:
        Slow(*args, **kwargs)
    with pytest.raises(TypeError) as made:
        Quick(*args, **kwargs)
    assert str(made.value) == str(slow.value).replace("Slow", "Quick")


def test_keywords_stay_keywords() -> None:
    assert Named(one=1).two == 2
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[misc]


def test_every_type_of_the_world_takes_its_members_in_order() -> None:
    """One object as good as another will do: nothing looks into it."""
    for cls in codec.types():
        members = [member.name for member in fields(cls)]  # type: ignore[arg-type]
        values = {name: object() for name in members}
        if cls not in (Held, Stays, Moves):  # these change
            assert cls.__setattr__ is Quick.__setattr__, f"{cls.__name__}: see ktrace.state.quick"
        made = cls(**values)
        assert type(made) is cls
        assert {name: getattr(made, name) for name in members} == values
