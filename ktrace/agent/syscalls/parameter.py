"""Parameters of system calls: how one argument becomes registers and bytes, and how it is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ktrace.agent.syscalls.frame import Caller, Frame, Wanted
from ktrace.agent.syscalls.layout import require_fit
from ktrace.agent.syscalls.text import Naming
from ktrace.agent.syscalls.vocabulary import Vocabulary
from ktrace.errors import UsageError
from ktrace.include.linux.types import s32, s64
from ktrace.state.call import Pointer
from ktrace.suggest import Written

REQUIRED: Final = object()
Values = Mapping[str, Any]
Late = Callable[[Values], Any]


class Parameter:
    """One parameter of a C prototype, or two that belong together.

    :param name: its name in the manual page
    :param default: the value where a script gives none
    :param late: computes the default from the other arguments, such as a count from its buffer
    """

    argument: bool = True
    """Whether ``Call.args`` has a place for it."""
    c_type: str = ""
    """Its type in C, as :func:`help` shows it; of an out-buffer that of what is written."""

    def __init__(self, name: str, default: Any = REQUIRED, late: Late | None = None) -> None:
        self.name = name
        self.default = default
        self.late = late

    @property
    def places(self) -> tuple[str, ...]:
        """The names it fills in the C prototype."""
        return (self.name,)

    @property
    def outs(self) -> tuple[str, ...]:
        """The names among its places that are out-buffers without a place in ``Call.args``."""
        return ()

    @property
    def optional(self) -> bool:
        """Whether a script may leave it out."""
        return self.default is not REQUIRED or self.late is not None

    def coerce(self, value: Any) -> Any:
        """Return *value* in the one form that ``Call.args`` holds.

        :raises UsageError: it is of the wrong kind
        """
        return value

    def coerce_among(self, value: Any, values: Values) -> Any:
        """Return *value* in that form, where it depends on the arguments before it."""
        return self.coerce(value)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        """Lay its buffers out in *frame* and return its registers."""
        raise NotImplementedError

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        """Return the out values in the bytes that it asked for, which *take* yields."""
        return {}

    @property
    def width(self) -> int:
        """How many registers it takes."""
        return max(1, len(self.places))

    later = False
    """Whether its value depends on those of other parameters."""

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        """Return its value, and the addresses of out-buffers that cannot be written, from its own *registers*."""
        raise NotImplementedError

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        """Return what :meth:`decode` will take of the caller's own memory."""
        return []

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        """Replace process ids in *out* by actors' names."""

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        """Write it as strace does; out-buffers only where *out* has their values."""
        return [self.show(values[self.name], values, naming)]

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        """Write one value of it."""
        return f"{value}"


def shown(value: Any) -> str:
    """Write what was given where it does not belong."""
    return pointer_text(value) if isinstance(value, Pointer) else repr(value)


def pointer_text(pointer: Pointer) -> str:
    """Write an address as scripts do."""
    return "NULL" if pointer.value == 0 else f"{pointer.value:#x}"


class Int(Parameter):
    """A number; *vocabulary* says how it is written.

    It is an ``int`` or ``unsigned int`` of C, 32 bits of what is given: ``SYSCALL_DEFINE`` drops the others
    (``include/linux/syscalls.h: __SC_CAST``).
    """

    bits = 32
    c_type = "int"
    what = "a number"
    address = False
    """Whether an address may stand in its place."""

    def __init__(
        self, name: str, vocabulary: Vocabulary | None = None, default: Any = REQUIRED, late: Late | None = None
    ) -> None:
        super().__init__(name, default, late)
        self.vocabulary = vocabulary

    def coerce(self, value: Any) -> int:
        if isinstance(value, Pointer) and self.address:
            return value.value
        if not isinstance(value, int):
            raise UsageError(f"{self.name} is {self.what}, not {shown(value)}")
        if not -(1 << 63) <= value < 1 << 64:
            raise UsageError(f"{self.name} is a number of a register, of 64 bits, not {value}")
        return wrap(int(value), self.bits)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        return (values[self.name],)

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        value = registers[0] & (1 << self.bits) - 1
        names = () if self.vocabulary is None else self.vocabulary.names().values()
        return {self.name: value if value in names else self.signed(value)}

    def signed(self, value: int) -> int:
        """Return what stands in a register as C's type has it: flags have no sign."""
        return s32(value) if self.vocabulary is None or not self.vocabulary.flags else value

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return self.vocabulary.format(value) if self.vocabulary else str(value)


class Long(Int):
    """A number of 64 bits: ``size_t``, ``unsigned long``."""

    bits = 64
    c_type = "unsigned long"

    def signed(self, value: int) -> int:
        return value


class Offset(Long):
    """A number of 64 bits with a sign: ``loff_t``, ``off_t``, ``long``."""

    c_type = "long"

    def coerce(self, value: Any) -> int:
        return s64(super().coerce(value))

    def signed(self, value: int) -> int:
        return s64(value)


class Mode(Int):
    """The mode of a file, 16 bits (``umode_t``)."""

    bits = 16
    c_type = "umode_t"

    def signed(self, value: int) -> int:
        return value


class Word(Long):
    """A number of 64 bits, or an address, whatever the call makes of it."""

    address = True


class Address(Word):
    """An address that the call takes as a number."""

    c_type = "void *"
    what = "an address"

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "NULL" if value == 0 else f"{value:#x}"


class Fd(Int):
    """A descriptor."""

    what = "a descriptor"

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return naming.descriptor(value)


class Directory(Fd):
    """A descriptor of a directory, or AT_FDCWD."""

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "AT_FDCWD" if value == -100 else naming.descriptor(value)


class Pid(Parameter):
    """A process: an actor's name, or a number."""

    c_type = "pid_t, or an actor"

    def coerce(self, value: Any) -> int | str:
        if not isinstance(value, (int, str)):
            hint = Written("actors are written without quotes", "give the actor itself, or lab.actor(NAME)")
            raise UsageError(f"{self.name} is an actor or a process id, not {shown(value)}", hint)
        return value if isinstance(value, str) else wrap(value, 32)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        return (frame.pid(values[self.name]),)

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        return {self.name: caller.pid(s32(registers[0]))}


def wrap(value: int, bits: int) -> int:
    """Return *value* as a C type of so many bits has it; where it fits, with a sign or without, it stays as it is."""
    if -(1 << bits - 1) <= value < 1 << bits:
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 and bits > 16 else value


class Const(Parameter):
    """A register that never varies, such as the size of a signal set."""

    argument = False

    def __init__(self, value: int) -> None:
        super().__init__("")
        self.value = value

    @property
    def places(self) -> tuple[str, ...]:
        return ()

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        return (self.value,)

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        return {}

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        return []


def sequence(name: str, value: Any) -> tuple[Any, ...]:
    """Return the items of an array.

    :raises UsageError: it is none
    """
    if not isinstance(value, (tuple, list)):
        raise UsageError(f"{name} is an array, not {shown(value)}", f"write it in brackets: [{shown(value)}]")
    return tuple(value)


def ints(name: str, value: Any, code: str = "") -> tuple[int, ...]:
    """Return the items of an array of numbers.

    :param code: the :mod:`struct` code of one, where they have to fit
    :raises UsageError: it is none, or a number does not fit
    """
    items = sequence(name, value)
    for item in items:
        if not isinstance(item, int):
            raise UsageError(f"{name} holds numbers, not {shown(item)}")
        if code:
            require_fit(f"what {name} holds", code, item)
    return items


def count_of(name: str) -> Late:
    """Make a default: the number of items in argument *name*; 0 for NULL.

    :raises UsageError: it is an address, so that nothing can be counted
    """

    def count(values: Values) -> int:
        value = values[name]
        if isinstance(value, Pointer):
            raise UsageError(f"{name} is an address", "give every argument, in the order of the C prototype")
        return 0 if value is None else len(value)

    return count
