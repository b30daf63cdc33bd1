"""The system calls that ktrace speaks: from a :class:`Call` to registers and bytes, and back.

Arguments and out values of every call are those of its manual page; :func:`prototype` prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ktrace.agent.syscalls import files, pipe, process, program, sockaddr, socket, sysv
from ktrace.agent.syscalls.constants import CONSTANTS, SIGNAL
from ktrace.agent.syscalls.frame import Caller, Fault, Fetched, RawCall, Wanted
from ktrace.agent.syscalls.operations import HANDLERS, OPERATIONS
from ktrace.agent.syscalls.parameter import Mode
from ktrace.agent.syscalls.signature import Returns, Signature
from ktrace.agent.syscalls.text import Naming, format_value, quote
from ktrace.errors import UsageError
from ktrace.state.call import NULL, Call, Result
from ktrace.suggest import did_you_mean
from ktrace.uapi.stat import S_IFIFO

__all__ = [
    "ALIASES",
    "CALL_NAMES",
    "CONSTANTS",
    "HANDLERS",
    "LIBRARY_NAMES",
    "OPERATIONS",
    "PROGRAM_SIGNATURES",
    "SIGNAL",
    "SIGNATURES",
    "Caller",
    "Fault",
    "Fetched",
    "RawCall",
    "Returns",
    "Signature",
    "Wanted",
    "decode",
    "encode",
    "find_signature",
    "format_call",
    "format_out",
    "format_result",
    "make_call",
    "recall",
    "signature",
]

LIBRARY_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "pread": "pread64",
        "pwrite": "pwrite64",
        "fstatat": "newfstatat",
        "prlimit": "prlimit64",
        "pselect": "pselect6",
        "signalfd": "signalfd4",
        "inotify_init": "inotify_init1",
        "sigprocmask": "rt_sigprocmask",
    }
)
"""What the C library and the manual pages call some of them; shown is the kernel's own name."""

SIGNATURES: Mapping[str, Signature] = MappingProxyType(
    {entry.name: entry for module in (files, pipe, process, sysv, socket) for entry in module.SIGNATURES}
)
"""Every system call by name."""

PROGRAM_SIGNATURES: Mapping[str, Signature] = MappingProxyType({entry.name: entry for entry in program.SIGNATURES})
"""Those that no script can use, but programs do."""

_BY_NUMBER = {entry.nr: entry for entry in (*PROGRAM_SIGNATURES.values(), *reversed(tuple(SIGNATURES.values())))}
"""The first of each number: mkfifo(3) is mknod(2)."""

_EMPTY: Mapping[Any, Any] = MappingProxyType({})


def find_signature(name: str) -> Signature | None:
    """Return the signature of a system call, by any of its names, or of an operation on an actor; ``None``: neither."""
    return SIGNATURES.get(LIBRARY_NAMES.get(name, name)) or OPERATIONS.get(name)


def signature(name: str) -> Signature:
    """Return the signature of a system call or of an operation on an actor.

    :raises UsageError: there is none of that name
    """
    found = find_signature(name)
    if found is None:
        raise UsageError(f"unknown call {name!r}", did_you_mean(name, CALL_NAMES))
    return found


def _known(name: str) -> Signature:
    """Return the signature of any call, a script's or a program's."""
    return PROGRAM_SIGNATURES.get(name) or program.unknown(name) or signature(name)


def make_call(name: str, /, *args: Any, **named: Any) -> Call:
    """Make a call: arguments as in the C prototype, or without out-buffers and counts, or by name.

    :raises UsageError: the call or an argument of it is not known, missing or of the wrong kind
    """
    if name in ALIASES:
        try:
            return ALIASES[name](args, named)
        except (TypeError, AttributeError, ValueError) as error:
            raise UsageError(f"{name}: an argument is of the wrong kind: {error}") from error
    entry = signature(name)
    given = entry.place(args)
    for key in named:
        if key in given:
            raise UsageError(f"{name} got {key!r} twice")
    return entry.call(given | named)


def encode(call: Call, arena: int, size: int, pids: Mapping[str, int] = _EMPTY) -> RawCall:
    """Return *call* as the agent carries it out.

    :param arena: address of the actor's arena, where the buffers go, and its *size* in bytes
    :param pids: process ids of the actors that the call may name
    :raises UsageError: the buffers do not fit, or an actor is not known
    """
    return _known(call.name).encode(call, arena, size, pids)


def recall(nr: int, registers: Sequence[int], caller: Caller) -> tuple[Call, tuple[Wanted, ...]] | None:
    """Return the call that a program is about to make, and what :func:`decode` will take of its memory.

    :param nr: the x86-64 system call number
    :param registers: six, unsigned 64 bits each
    :returns: ``None`` where ktrace has no such call
    """
    entry = _BY_NUMBER.get(nr)
    return None if entry is None else entry.recall(registers, caller)


def decode(call: Call, ret: int, loads: Sequence[bytes], actors: Mapping[int, str] = _EMPTY) -> Result:
    """Return what *call* answered.

    :param ret: the register that the kernel returned, signed
    :param loads: the bytes that :func:`encode` asked for, in its order; none are needed after an error
    :param actors: names of process ids; those in out values are replaced by them
    :raises GuestGarbage: bytes are missing
    """
    return _known(call.name).decode(call, ret, loads, actors)


def format_call(
    call: Call, names: Mapping[int, str] | None = None, result: Result | None = None, width: int = 32
) -> str:
    """Write *call* as strace does.

    :param names: what the actor's descriptors are, shown as ``3<r>``
    :param result: where given, its out values stand in the out-buffers' places
    :param width: bytes of a string to show; 0 shows all
    """
    out = _EMPTY if result is None else result.out
    return _known(call.name).format(call, out, Naming(names or _EMPTY, width))


def format_result(
    call: Call,
    result: Result,
    names: Mapping[int, str] | None = None,
    width: int = 32,
    outs: bool = True,
) -> str:
    """Write *result* of *call*: the value, or ``-1`` and the error's name; out values behind it where *outs*."""
    if result.errno is not None:
        return f"-1 {result.errno}"
    naming = Naming(names or _EMPTY, width)
    text = _known(call.name).format_value(call, result.value, naming)
    if outs and result.out:
        text += " " + format_out(result.out, width)
    return text


def format_out(out: Mapping[str, Any], width: int = 32) -> str:
    """Write out values as annotations do; with their names where there are several."""
    if len(out) == 1:
        return _format_any(next(iter(out.values())), width)
    return " ".join(f"{name}={_format_any(value, width)}" for name, value in out.items())


def _format_any(value: Any, width: int) -> str:
    if isinstance(value, Mapping) and "sa_family" in value:
        return sockaddr.show(value)
    if isinstance(value, bytes):
        return quote(value, width)
    return format_value(value, width)


def _mkfifo(args: Sequence[Any], named: Mapping[str, Any]) -> Call:
    given = dict(zip(("pathname", "mode"), args, strict=False)) | dict(named)
    if given.keys() != {"pathname", "mode"}:
        raise UsageError("mkfifo takes pathname and mode", "write mkfifo(pathname, mode)")
    return make_call("mknod", given["pathname"], S_IFIFO | Mode("mode").coerce(given["mode"]), 0)


def _send(args: Sequence[Any], named: Mapping[str, Any]) -> Call:
    # C: send(sockfd, buf, len, flags)
    names = ("sockfd", "buf", "len", "flags") if len(args) == 4 else ("sockfd", "buf", "flags")
    return signature("sendto").call(_placed("send", names, args) | dict(named))


def _recv(args: Sequence[Any], named: Mapping[str, Any]) -> Call:
    # C: recv(sockfd, buf, len, flags)
    names = ("sockfd", "buf", "len", "flags") if len(args) == 4 else ("sockfd", "len", "flags")
    given = _placed("recv", names, args) | dict(named)
    return signature("recvfrom").call({**given, "addr": NULL, "addrlen": NULL})


def _placed(name: str, names: Sequence[str], args: Sequence[Any]) -> dict[str, Any]:
    if len(args) > len(names):
        raise UsageError(f"{name} takes at most 4 arguments, not {len(args)!r}")
    return dict(zip(names, args, strict=False))


ALIASES: Mapping[str, Callable[[Sequence[Any], Mapping[str, Any]], Call]] = {
    "mkfifo": _mkfifo,
    "send": _send,
    "recv": _recv,
}

CALL_NAMES = (*SIGNATURES, *OPERATIONS, *ALIASES, *LIBRARY_NAMES)
"""Every word for a call that a script may use."""
