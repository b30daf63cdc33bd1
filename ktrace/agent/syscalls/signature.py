"""Signatures: from a script's arguments to a Call, to the agent's registers, and back to a Result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ktrace.agent.syscalls.frame import Caller, Frame, RawCall, Wanted
from ktrace.agent.syscalls.parameter import Parameter
from ktrace.agent.syscalls.text import Naming, format_value
from ktrace.agent.syscalls.vocabulary import Vocabulary
from ktrace.errors import GuestGarbage, UsageError
from ktrace.include.linux.limits import U64_MAX
from ktrace.state.call import Call, Pointer, Result
from ktrace.state.quick import dataclass
from ktrace.uapi.errno import errno_name


@dataclass(frozen=True, slots=True)
class Returns:
    """Say what the value is that a call returns.

    :param kind: ``number``, ``fd``, ``pid``, ``address``, ``ipc`` (an object's id) or ``flags``
    """

    kind: str = "number"
    vocabulary: Vocabulary | None = None


NUMBER = Returns()
FD = Returns("fd")
PID = Returns("pid")
ADDRESS = Returns("address")
IPC = Returns("ipc")


class Signature:
    """Describe one system call.

    :param name: its name
    :param nr: its x86-64 number
    :param params: its parameters in the order of the C prototype
    :param returns: what it returns; a callable where that depends on the arguments
    :param fails: whether a small negative number that it returned is an error, of that errno
    """

    def __init__(
        self,
        name: str,
        nr: int,
        *params: Parameter,
        returns: Returns | Callable[[Mapping[str, Any]], Returns] = NUMBER,
        fails: Callable[[Mapping[str, Any], int], bool] = lambda values, errno: True,
    ) -> None:
        self.name = name
        self.nr = nr
        self.params = params
        self._returns = returns
        self._fails = fails
        inputs = [param for param in params if param.argument]
        required = [param for param in inputs if not param.optional]
        constant = [param for param in inputs if param.optional and param.late is None]
        late = [param for param in inputs if param.late is not None]
        self.inputs: tuple[Parameter, ...] = (*required, *constant, *late)
        self.names: tuple[str, ...] = tuple(param.name for param in self.inputs)
        """Names of ``Call.args``, in order."""
        self.places: tuple[str, ...] = tuple(place for param in params for place in param.places)
        """Names of the C prototype's parameters, in order."""
        self.outs: frozenset[str] = frozenset(out for param in params for out in param.outs)
        """Out-buffers, which may be given an address in ``Call.pointers``."""

    def place(self, positional: Sequence[Any]) -> dict[str, Any]:
        """Give positional arguments their names: all places of the C prototype, or those of ``Call.args``.

        :raises UsageError: there are too many or too few
        """
        if len(positional) == len(self.places):
            return dict(zip(self.places, positional, strict=True))
        if len(positional) > len(self.names):
            raise UsageError(
                f"{self.name} takes {len(self.names)} arguments, not {len(positional)!r}", self.prototype()
            )
        return dict(zip(self.names, positional, strict=False))

    def call(self, given: Mapping[str, Any]) -> Call:
        """Make a call of named arguments, with every default filled in.

        :raises UsageError: an argument is missing, unknown or of the wrong kind
        """
        pointers: dict[str, Pointer] = {}
        for name, value in given.items():
            if name in self.outs:
                if not isinstance(value, (Pointer, int)):
                    raise UsageError(f"{self.name}'s {name} is written by the kernel: give an address or leave it out")
                pointers[name] = value if isinstance(value, Pointer) else Pointer(value)
            elif name not in self.names:
                raise UsageError(f"{self.name} has no parameter {name!r}", self.prototype())
        values: dict[str, Any] = {}
        for param in self.inputs:
            if param.name in given or param.late is not None:
                try:
                    if param.name in given:
                        values[param.name] = param.coerce_among(given[param.name], values)
                    elif param.late is not None:
                        values[param.name] = param.late(values)
                except UsageError as error:
                    raise UsageError(f"{self.name}: {error.message}", error.hint) from None
            elif not param.optional:
                raise UsageError(f"{self.name} needs {param.name!r}", self.prototype())
            else:
                values[param.name] = param.default
        return Call(self.name, tuple(values.values()), pointers)

    def prototype(self) -> str:
        """Return how it is written, for messages."""
        shown = [param.name + ("" if not param.optional else "=…") for param in self.inputs]
        return f"write {self.name}({', '.join(shown)}), or all of ({', '.join(self.places)})"

    def described(self) -> str:
        """Return what its parameters are, and what the kernel writes, a line for each."""
        lines = []
        for param in self.inputs:
            default = "; left out, it is found from the others" if param.late is not None else ""
            if param.optional and param.late is None:
                default = f"; left out, it is {'NULL' if param.default is None else param.default}"
            lines.append(f"{param.name}: {param.c_type}{default}")
        for param in self.params:
            kind = "" if param.argument else f", {param.c_type}"
            lines.extend(f"{out}: written by the kernel{kind}" for out in param.outs)
        return "\n".join(lines)

    def values(self, call: Call) -> dict[str, Any]:
        """Return a call's arguments and pointers by name.

        :raises UsageError: there are too few or too many
        """
        if len(call.args) != len(self.names):
            raise UsageError(f"{self.name} has {len(self.names)} arguments, not {len(call.args)!r}", self.prototype())
        values = dict(zip(self.names, call.args, strict=True))
        values.update(call.pointers)
        return values

    def encode(self, call: Call, arena: int, size: int, pids: Mapping[str, int]) -> RawCall:
        """Return *call* as registers and bytes; its buffers lie at the beginning of the arena."""
        values = self.values(call)
        frame = Frame(arena, size, pids)
        registers: list[int] = []
        for param in self.params:
            registers.extend(param.encode(values, frame))
        registers.extend((0,) * (6 - len(registers)))
        return RawCall(
            self.nr, tuple([value & U64_MAX for value in registers]), tuple(frame.stores), tuple(frame.loads)
        )

    def recall(self, registers: Sequence[int], caller: Caller) -> tuple[Call, tuple[Wanted, ...]]:
        """Return the call that a program is about to make, and what :meth:`decode` will take of its memory.

        :param registers: six, unsigned 64 bits each
        """
        values: dict[str, Any] = {}
        placed: list[tuple[Parameter, tuple[int, ...]]] = []
        at = 0
        for param in self.params:
            placed.append((param, tuple(registers[at : at + param.width])))
            at += param.width
        for later in (False, True):
            for param, own in placed:
                if param.later is later:
                    values.update(param.recall(own, values, caller))
        pointers = {name: value for name, value in values.items() if name in self.outs}
        call = Call(self.name, tuple(values[name] for name in self.names), pointers, caller.glimpsed)
        wanted = [item for param, own in placed for item in param.wanted(own, values, caller)]
        return call, tuple(wanted)

    def decode(self, call: Call, ret: int, loads: Sequence[bytes], actors: Mapping[int, str]) -> Result:
        """Return what *call* answered.

        :raises GuestGarbage: bytes that were asked for are missing
        """
        values = self.values(call)
        if -4095 <= ret < 0 and self._fails(values, -ret):
            return Result(-1, errno_name(-ret))
        out: dict[str, Any] = {}
        take = iter(loads)
        try:
            for param in self.params:
                out.update(param.decode(values, ret, take))
        except StopIteration:
            raise GuestGarbage(f"{self.name} returned {ret!r} without its out-buffers") from None
        if actors:
            for param in self.params:
                param.name_actors(out, values, actors)
            if ret in actors and self.returns(call).kind == "pid":
                out["actor"] = actors[ret]
        return Result(ret, None, out)

    def returns(self, call: Call) -> Returns:
        """Say what the value is that *call* returns."""
        return self._returns if isinstance(self._returns, Returns) else self._returns(self.values(call))

    def format(self, call: Call, out: Mapping[str, Any], naming: Naming) -> str:
        """Write *call* as strace does, with the out-buffers that are in *out*."""
        values = self.values(call)
        parts = [part for param in self.params for part in param.format(values, out, naming)]
        return f"{self.name}({', '.join(parts)})"

    def format_value(self, call: Call, value: int, naming: Naming) -> str:
        """Write a returned value."""
        returns = self.returns(call)
        if returns.vocabulary is not None:
            return returns.vocabulary.format(value)
        if returns.kind == "fd":
            return naming.descriptor(value)
        if returns.kind == "address":
            return f"{value:#x}"
        return format_value(value)
