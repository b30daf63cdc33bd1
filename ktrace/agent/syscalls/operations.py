"""Operations on actors that are written like calls but that the agent carries out itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import InBytes, OutBytes
from ktrace.agent.syscalls.frame import Frame
from ktrace.agent.syscalls.parameter import Address, Int, Long, Parameter, Values, ints, shown
from ktrace.agent.syscalls.signature import PID, Signature
from ktrace.agent.syscalls.text import Naming, quote
from ktrace.errors import UsageError
from ktrace.state.call import Pointer
from ktrace.uapi.limits import UINT_MAX

HANDLERS = {"SIG_DFL": "DFL", "SIG_IGN": "IGN", "RECORD": "RECORD", "RECORD_RESTART": "RECORD_RESTART"}
"""What a script may write as sigaction's handler, and what ``Call.args`` holds."""


MOST_MS = 10**12
"""Thirty years: what the agent takes are nanoseconds, of 64 bits."""


class _Own(Parameter):
    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        raise UsageError("an operation on an actor is no system call")


class Name(_Own):
    """The name of an actor, or a text."""

    c_type = "char []"

    def coerce(self, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if not isinstance(value, str):
            raise UsageError(f"{self.name} is a name, not {shown(value)}")
        return value


class Text(Name):
    """A text, written in quotes."""

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return quote(value.encode())


class Handler(_Own):
    """What a signal does: a word of :data:`HANDLERS`."""

    c_type = "one of " + ", ".join(HANDLERS)

    def coerce(self, value: Any) -> str:
        if isinstance(value, Pointer):
            value = value.value
        if isinstance(value, int) and value in (0, 1):
            return ("DFL", "IGN")[value]
        if value in HANDLERS.values():
            return str(value)
        raise UsageError(f"a handler is one of {', '.join(HANDLERS)}, not {value!r}")

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return next(word for word, handler in HANDLERS.items() if handler == value)


class Credentials(_Own):
    """Who a fresh actor is: ``uid``, ``gid`` and ``groups``; root where they are missing."""

    c_type = "uid, gid and groups"

    def coerce(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not value.keys() <= {"uid", "gid", "groups"}:
            raise UsageError(f"credentials are uid, gid and groups, not {value!r}")
        found: dict[str, Any] = {}
        for name, item in value.items():
            found[name] = ints(name, item) if name == "groups" else Int(name).coerce(item)
        numbers = (*found.get("groups", ()), *(found[name] for name in ("uid", "gid") if name in found))
        if (wrong := next((number for number in numbers if not 0 <= number < UINT_MAX), None)) is not None:
            raise UsageError(f"nobody has the id {wrong}", "user and group ids are 0 to 4294967294")
        return found

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        return [f"{name}={list(item) if isinstance(item, tuple) else item}" for name, item in values[self.name].items()]


class Milliseconds(_Own):
    """How long something takes."""

    c_type = "unsigned long"

    def coerce(self, value: Any) -> int:
        if not isinstance(value, int) or not 0 <= value <= MOST_MS:
            raise UsageError(f"{self.name} are a number from 0 to {MOST_MS}, not {shown(value)}")
        return int(value)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return str(value)


class Operation(Signature):
    """Describe one operation in the terms of a system call's signature."""

    def __init__(self, name: str, *params: Parameter, **more: Any) -> None:
        super().__init__(name, -1, *params, **more)


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("fork", Name("child"), Long("flags", c.CLONE, default=0), returns=PID),
        Operation("exit", Int("status")),
        Operation("exec"),
        Operation("sigaction", Int("signum", c.SIGNAL), Handler("handler")),
        Operation("store", Address("addr"), InBytes("data")),
        Operation("load", Address("addr"), OutBytes("buf", "length"), Long("length")),
        Operation("spawn", Name("name"), Credentials("credentials", {}), returns=PID),
        Operation("sysctl", Text("path"), Text("value")),
        Operation("wait", Milliseconds("milliseconds")),
    )
}
"""``kill`` without an acting actor is an operation, too; its arguments are those of the system call."""
