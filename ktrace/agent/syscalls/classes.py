"""Classes of calls, by the words that strace has for them: ``%network`` and the like."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.agent.syscalls import files, pipe, process, socket, sysv
from ktrace.agent.syscalls.buffers import Path
from ktrace.agent.syscalls.parameter import Directory, Fd
from ktrace.agent.syscalls.signature import Signature

_ALL = tuple(entry for module in (files, pipe, process, sysv, socket) for entry in module.SIGNATURES)
_BIRTHS = frozenset({"fork", "exit", "execve", "wait4", "waitid"})
_SIGNALS = frozenset(
    {"kill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "pause", "sigaltstack", "signalfd4"}
)
_MEMORY = frozenset({"mmap", "munmap", "mprotect", "mremap", "madvise", "msync", "brk", "shmat", "shmdt", "mlock"})


def _names(entries: tuple[Signature, ...]) -> frozenset[str]:
    return frozenset(entry.name for entry in entries)


def _with(kind: type) -> frozenset[str]:
    return frozenset(entry.name for entry in _ALL if any(isinstance(param, kind) for param in entry.params))


CLASSES: Mapping[str, frozenset[str]] = {
    "ipc": _names(sysv.SIGNATURES),
    "network": _names(socket.SIGNATURES),
    "net": _names(socket.SIGNATURES),
    "pipe": _names(pipe.SIGNATURES),
    "desc": _with(Fd) - _with(Directory) | _names(pipe.SIGNATURES),
    "file": _with(Path) | {"execve"},
    "process": _BIRTHS,
    "signal": _SIGNALS,
    "memory": _MEMORY,
}
"""strace(1), trace=SET; ``ipc`` is System V, ``pipe`` what makes pipes and splices."""
