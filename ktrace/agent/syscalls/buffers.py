"""Parameters that point at memory: what the kernel reads there, what it writes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls.frame import Caller, Fault, Frame, Wanted
from ktrace.agent.syscalls.layout import C_TYPES, Struct, pack_ints, unpack_ints
from ktrace.agent.syscalls.parameter import REQUIRED, Offset, Parameter, Values, ints, pointer_text, sequence
from ktrace.agent.syscalls.text import Naming, format_struct, quote
from ktrace.errors import UsageError
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import MAX_RW_COUNT
from ktrace.state.call import COUNTED, Pointer
from ktrace.suggest import Written
from ktrace.uapi.limits import NGROUPS_MAX


class In(Parameter):
    """A buffer that the kernel reads; an address may stand in its place.

    :param nullable: ``None`` is NULL
    :param counted: the parameter that says how many items of *item* bytes there are: zeros stand for what is missing
    """

    item = 1
    most = MAX_RW_COUNT
    """Items that the kernel takes: more are refused before it reads them."""

    def __init__(self, name: str, default: Any = REQUIRED, nullable: bool = False, counted: str | None = None) -> None:
        super().__init__(name, default)
        self.nullable = nullable or default is None
        self.counted = counted

    numeric = False
    """Whether a plain number is a value rather than an address."""

    def coerce(self, value: Any) -> Any:
        if isinstance(value, int) and not self.numeric:
            if 0 < value < PAGE_SIZE:
                hint = Written("an address is 0x1000 or more, or BAD", "an address is 0x1000 or more, or ktrace.BAD")
                raise UsageError(f"{self.name} is a buffer, not {value}", hint)
            value = Pointer(value)
        if isinstance(value, Pointer):
            return None if self.nullable and value.value == 0 else value
        if value is None and self.nullable:
            return None
        return self.convert(value)

    def convert(self, value: Any) -> Any:
        """Return a value that is no address in its one form."""
        return value

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value = values[self.name]
        if value is None:
            return (0,)
        if isinstance(value, Pointer):
            return (value.value,)
        return (frame.put(self.fill(self.pack(value, frame), values)),)

    def fill(self, data: bytes, values: Values) -> bytes:
        """Return *data* with zeros behind it, as many as the call counts.

        :raises UsageError: that is more than an arena holds
        """
        count = values[self.counted] if self.counted is not None else 0
        if not isinstance(count, int) or count > self.most or not len(data) < count * self.item:
            return data
        if count * self.item > COUNTED:
            raise UsageError(
                f"{self.name} is {len(data)} bytes, {self.counted} says {count!r}: no more than {COUNTED} are given",
                "map memory with mmap, fill it with store, and pass its address",
            )
        return data.ljust(count * self.item, b"\0")

    def pack(self, value: Any, frame: Frame) -> bytes:
        """Return the bytes of a value that is no address."""
        raise NotImplementedError

    later = True

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        addr = registers[0]
        if self.nullable and addr == 0:
            return {self.name: None}
        try:
            value = self.read(addr, values, caller)
        except Fault:
            value = Pointer(addr)
            caller.glimpse(addr, self.extent(values))
        return {self.name: value}

    def extent(self, values: Values) -> int:
        """Return how many bytes the kernel may read, where they are not all there."""
        return max(self.count(values), 1) * self.item

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        """Return the value at *addr*.

        :raises Fault: it is not all mapped
        """
        raise NotImplementedError

    def count(self, values: Values) -> int:
        """Return how many items the call counts."""
        return int(values[self.counted]) if self.counted is not None else 0

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value = values[self.name]
        if value is None:
            return ["NULL"]
        if isinstance(value, Pointer):
            return [pointer_text(value)]
        return [self.show(value, values, naming)]


class InBytes(In):
    """Bytes that the kernel reads."""

    c_type = "const void *"

    def convert(self, value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise UsageError(f"{self.name} is a string, not {value!r}")
        return value

    def pack(self, value: Any, frame: Frame) -> bytes:
        data: bytes = value
        return data

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return caller.read(addr, self.count(values))

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return quote(value, naming.width)


class Path(InBytes):
    """A string that ends with NUL, which ``Call.args`` leaves out."""

    c_type = "const char *"

    def convert(self, value: Any) -> bytes:
        data = super().convert(value)
        if b"\0" in data:
            raise UsageError(f"{self.name} ends at its zero byte: {value!r} is no text of C")
        return data

    def pack(self, value: Any, frame: Frame) -> bytes:
        data: bytes = value
        return data + b"\0"

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return caller.read_string(addr)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return quote(value, 0)


class InStruct(In):
    """A struct that the kernel reads."""

    def __init__(self, name: str, layout: Struct, default: Any = REQUIRED, nullable: bool = False) -> None:
        super().__init__(name, default, nullable)
        self.layout = layout
        self.c_type = f"const {self.layout.declared()} *"

    def convert(self, value: Any) -> dict[str, Any]:
        return self.layout.coerce(value)

    def extent(self, values: Values) -> int:
        return self.layout.size

    def pack(self, value: Any, frame: Frame) -> bytes:
        return pack_struct(self.layout, value, frame)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return read_struct(self.layout, caller.read(addr, self.layout.size), caller)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return format_struct(self.layout, value)


class InStructs(In):
    """An array of structs that the kernel reads."""

    def __init__(self, name: str, layout: Struct, counted: str | None = None) -> None:
        super().__init__(name, counted=counted)
        self.layout = layout
        self.item = layout.size
        self.c_type = f"const {self.layout.declared()} []"

    def convert(self, value: Any) -> tuple[dict[str, Any], ...]:
        return tuple(self.layout.coerce(item) for item in sequence(self.name, value))

    def pack(self, value: Any, frame: Frame) -> bytes:
        return b"".join([pack_struct(self.layout, item, frame) for item in value])

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        data = caller.read(addr, self.count(values) * self.item)
        return tuple(
            read_struct(self.layout, data[at : at + self.item], caller) for at in range(0, len(data), self.item)
        )

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "[" + ", ".join(format_struct(self.layout, item) for item in value) + "]"


class InInts(In):
    """An array of numbers that the kernel reads; *code* is the :mod:`struct` code of one."""

    def __init__(self, name: str, code: str, counted: str | None = None) -> None:
        super().__init__(name, counted=counted)
        self.code = code
        self.item = len(pack_ints(code, (0,)))
        self.most = NGROUPS_MAX
        self.c_type = f"const {C_TYPES[self.code]} []"

    def convert(self, value: Any) -> tuple[int, ...]:
        return ints(self.name, value, self.code)

    def pack(self, value: Any, frame: Frame) -> bytes:
        return pack_ints(self.code, value)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return unpack_ints(self.code, caller.read(addr, self.count(values) * self.item))

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "[" + ", ".join(map(str, value)) + "]"


class InOutInt(In):
    """A pointer to a number that the kernel reads and writes back; NULL as ``None``."""

    numeric = True

    def __init__(self, name: str, code: str = "q") -> None:
        super().__init__(name, nullable=True)
        self.code = code
        self.c_type = f"{C_TYPES[self.code]} *"

    def convert(self, value: Any) -> int:
        return Offset(self.name).coerce(value)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value = values[self.name]
        if value is None or isinstance(value, Pointer):
            return super().encode(values, frame)
        addr = frame.put(pack_ints(self.code, (value,)))
        frame.want(addr, self.size)
        return (addr,)

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if not isinstance(values[self.name], int):
            return {}
        return {self.name: unpack_ints(self.code, next(take))[0]}

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return unpack_ints(self.code, caller.read(addr, self.size))[0]

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        return [Wanted(((registers[0], self.size),))] if isinstance(values[self.name], int) else []

    @property
    def size(self) -> int:
        """Bytes of the number."""
        return 8 if self.code == "q" else 4

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        if self.name in out:
            return [f"[{values[self.name]} => {out[self.name]}]"]
        return super().format(values, out, naming)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return f"[{value}]"


class Out(Parameter):
    """A buffer that the kernel writes; without a place in ``Call.args``."""

    argument = False
    later = True

    @property
    def outs(self) -> tuple[str, ...]:
        return (self.name,)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        pointer = values.get(self.name)
        if isinstance(pointer, Pointer):
            return (pointer.value,)
        return (self.ask(values, frame),)

    def ask(self, values: Values, frame: Frame) -> int:
        """Reserve the buffer, ask for its bytes and return its address."""
        raise NotImplementedError

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if isinstance(values.get(self.name), Pointer):
            return {}
        return {self.name: self.unpack(next(take), values, ret)}

    def unpack(self, data: bytes, values: Values, ret: int) -> Any:
        """Return the value in *data*."""
        return data

    scale = 0
    """The most bytes that the kernel writes for each that the call returns; 0 for all."""

    def length(self, values: Values) -> int:
        """Return how many bytes the kernel may write."""
        raise NotImplementedError

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        return caller.out(self.name, registers[0], self.length(values))

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        return [] if self.name in values else [Wanted(((registers[0], self.length(values)),), self.scale)]

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        pointer = values.get(self.name)
        if isinstance(pointer, Pointer):
            return [pointer_text(pointer)]
        return [self.show(out[self.name], values, naming)] if self.name in out else []


class OutBytes(Out):
    """Bytes that the kernel writes: as many as parameter *size* says, no more than the call returned."""

    c_type = "bytes"

    def __init__(self, name: str, size: str) -> None:
        super().__init__(name)
        self.size = size

    scale = 1

    def ask(self, values: Values, frame: Frame) -> int:
        return frame.want_up_to(values[self.size], scale=1)

    def length(self, values: Values) -> int:
        return min(max(int(values[self.size]), 0), MAX_RW_COUNT)

    def unpack(self, data: bytes, values: Values, ret: int) -> bytes:
        return data[:ret]

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return quote(value, naming.width)


class OutStruct(Out):
    """A struct that the kernel writes."""

    def __init__(self, name: str, layout: Struct) -> None:
        super().__init__(name)
        self.layout = layout
        self.c_type = self.layout.declared()

    def ask(self, values: Values, frame: Frame) -> int:
        return frame.want_fresh(self.layout.size)

    def length(self, values: Values) -> int:
        return self.layout.size

    def unpack(self, data: bytes, values: Values, ret: int) -> dict[str, Any]:
        return self.layout.unpack(data)

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        if self.name in out:
            self.layout.name_actors(out[self.name], actors)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return format_struct(self.layout, value)


class OutInts(Out):
    """*count* numbers that the kernel writes."""

    def __init__(self, name: str, code: str, count: int, descriptors: bool = False) -> None:
        super().__init__(name)
        self.code = code
        self.size = len(pack_ints(code, (0,) * count))
        self.descriptors = descriptors
        self.c_type = f"{C_TYPES[self.code]} [{self.size // len(pack_ints(self.code, (0,)))}]"

    def ask(self, values: Values, frame: Frame) -> int:
        return frame.want_fresh(self.size)

    def length(self, values: Values) -> int:
        return self.size

    def unpack(self, data: bytes, values: Values, ret: int) -> tuple[int, ...]:
        return unpack_ints(self.code, data)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        write = naming.descriptor if self.descriptors else str
        return "[" + ", ".join(map(write, value)) + "]"


def pack_struct(layout: Struct, value: Mapping[str, Any], frame: Frame) -> bytes:
    """Return a struct's bytes with actors' names replaced by their process ids."""
    if layout.pids:
        value = {name: frame.pid(item) if name in layout.pids else item for name, item in value.items()}
    return layout.pack(value)


def read_struct(layout: Struct, data: bytes, caller: Caller) -> dict[str, Any]:
    """Return a struct's members with process ids replaced by actors' names."""
    return layout.name_actors(layout.unpack(data), caller.actors)
