"""Frozen dataclasses, as ``dataclasses`` has them, of which there are many: quick to declare and quick to make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, *, kw_only: bool = False, **others: bool):
        """Declare a dataclass; a frozen one with slots differs from that of the standard library in time alone.

        *Made:* what ``dataclasses`` writes for a frozen class calls ``object.__setattr__()`` for every member, which
        takes most of the time that a World takes to be made. As long as it is being made, an object is nobody else's:
        here it is of a class with the same slots that is not frozen, and becomes of its own with its last member.

        *Declared:* the standard library compiles six methods for a class at once, which was a third of the start of
        every command that prints a session. Here a method is written when it is called first.
        """

        def declare(cls: type) -> type:
            if others == {"frozen": True, "slots": True}:
                return _quick(cls, kw_only)
            return dataclasses.dataclass(cls, kw_only=kw_only, **others)

        return declare if cls is None else declare(cls)


_become: Callable[[Any, type], None] = object.__dict__["__class__"].__set__
"""Change the class of an object that does not let its members be set."""


def _quick(cls: type, kw_only: bool) -> type:
    assert cls.__bases__ == (object,), f"{cls.__name__} inherits: its slots would not be all that it has"
    own = frozenset(cls.__dict__)
    cls = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=True, kw_only=kw_only)
    told: Any = cls.__dataclass_params__  # type: ignore[attr-defined]
    told.init = told.repr = told.eq = told.frozen = True
    methods = {
        "__init__": _Later(_init),
        "__eq__": _Later(_eq),
        "__hash__": _Later(_hash),
        "__repr__": _repr,
        "__setattr__": _setattr,
        "__delattr__": _delattr,
        "__getstate__": _Later(_getstate),
        "__setstate__": _Later(_setstate),
    }
    for name, method in methods.items():
        if name not in own:
            setattr(cls, name, method.of(cls, name) if isinstance(method, _Later) else method)
    return cls


class _Later:
    """A method that is written when it is called first.

    :param write: returns it for a class
    """

    def __init__(self, write: Callable[[type], Callable[..., Any]]) -> None:
        self._write = write

    def of(self, cls: type, name: str) -> Callable[..., Any]:
        """Return what stands for it in *cls* until then."""

        def first(self_: Any, /, *args: Any, **kwargs: Any) -> Any:
            method = self._write(cls)
            method.__qualname__ = f"{cls.__qualname__}.{name}"
            setattr(cls, name, method)
            return method(self_, *args, **kwargs)

        first.__name__, first.__qualname__ = name, f"{cls.__qualname__}.{name}"
        return first


def _init(cls: type) -> Callable[..., None]:
    members = dataclasses.fields(cls)
    names: dict[str, Any] = {"_become": _become, "_class": cls, "_missing": dataclasses.MISSING}
    names["_twin"] = _twin(cls)
    lines = ["_become(self, _twin)"]
    for member in members:
        value = member.name
        if member.default_factory is not dataclasses.MISSING:
            names[f"_make_{member.name}"] = member.default_factory
            value = f"_make_{member.name}() if {member.name} is _missing else {member.name}"
        lines.append(f"self.{member.name} = {value}")
    lines.append("self.__class__ = _class")
    ordered = [_parameter(member, names) for member in members if not member.kw_only]
    by_name = [_parameter(member, names) for member in members if member.kw_only]
    parameters = ["self", *ordered, *(["*", *by_name] if by_name else [])]
    return _written("__init__", parameters, lines, names)


def _twin(cls: type) -> type:
    """Return a class with the same slots whose members can be set."""
    return type(cls.__name__, (), {"__slots__": cls.__slots__})  # type: ignore[attr-defined]


def _parameter(member: dataclasses.Field[Any], names: dict[str, Any]) -> str:
    """Return *member* as a parameter; its default goes into *names*."""
    if member.default is dataclasses.MISSING and member.default_factory is dataclasses.MISSING:
        return member.name
    names[f"_default_{member.name}"] = member.default
    return f"{member.name}=_default_{member.name}"


def _eq(cls: type) -> Callable[..., Any]:
    values = (_values(cls, name) for name in ("self", "other"))
    return _written(
        "__eq__",
        ["self", "other"],
        ["if other.__class__ is self.__class__:", f"    return {' == '.join(values)}", "return NotImplemented"],
        {},
    )


def _hash(cls: type) -> Callable[..., Any]:
    return _written("__hash__", ["self"], [f"return hash({_values(cls, 'self')})"], {})


def _values(cls: type, name: str) -> str:
    """Return the expression of all members of what is called *name*."""
    return "(" + "".join(f"{name}.{member.name}, " for member in dataclasses.fields(cls) if member.compare) + ")"


def _written(name: str, parameters: list[str], lines: list[str], names: dict[str, Any]) -> Callable[..., Any]:
    exec(f"def {name}({', '.join(parameters)}):\n" + "".join(f"    {line}\n" for line in lines), names)
    written: Callable[..., Any] = names[name]
    return written


def _repr(self: Any) -> str:
    values = [f"{member.name}={getattr(self, member.name)!r}" for member in dataclasses.fields(self) if member.repr]
    return f"{type(self).__qualname__}({', '.join(values)})"


def _setattr(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(cls: type) -> Callable[..., list[Any]]:
    values = ", ".join(f"self.{member.name}" for member in dataclasses.fields(cls))
    return _written("__getstate__", ["self"], [f"return [{values}]"], {})


def _setstate(cls: type) -> Callable[..., None]:
    members = dataclasses.fields(cls)
    names: dict[str, Any] = {"_become": _become, "_class": cls, "_twin": _twin(cls)}
    values = "".join(f"self.{member.name}, " for member in members)
    lines = [f"{values}= state"] if members else []
    return _written(
        "__setstate__", ["self", "state"], ["_become(self, _twin)", *lines, "self.__class__ = _class"], names
    )
