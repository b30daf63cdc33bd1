"""Make the actions of one trial again in another: descriptors and ids that come out differently are followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ktrace.agent.syscalls import SIGNATURES
from ktrace.agent.syscalls.parameter import Fd
from ktrace.agent.syscalls.vectors import FdSet, PollFds
from ktrace.state.call import Call, Result
from ktrace.uapi.sched import CLONE_FILES

_IDS = frozenset({"semid", "msqid", "shmid"})
_FD_ARRAYS = ("pipefd", "sv")


class Renumbering:
    """Map the numbers of an earlier trial to those of this one.

    Where the step that made a number was left out, the number stays what it was.
    """

    def __init__(self) -> None:
        self._fds: dict[str, dict[int, int]] = {}
        self._ids: dict[tuple[str, int], int] = {}

    def renumber(self, actor: str | None, call: Call) -> Call:
        """Return *call* with the numbers of this trial."""
        entry = SIGNATURES.get(call.name)
        if entry is None or actor is None:
            return call
        fds = self._fds.get(actor, {})
        args = []
        for param, value in zip(entry.inputs, call.args, strict=True):
            if isinstance(param, Fd) and isinstance(value, int):
                value = fds.get(value, value)
            elif isinstance(param, PollFds) and isinstance(value, tuple):
                value = tuple({**item, "fd": fds.get(item["fd"], item["fd"])} for item in value)
            elif isinstance(param, FdSet) and isinstance(value, tuple):
                value = tuple(sorted(fds.get(fd, fd) for fd in value))
            elif param.name in _IDS and isinstance(value, int):
                value = self._ids.get((_kind(call.name), value), value)
            args.append(value)
        return replace(call, args=tuple(args))

    def learn(self, actor: str | None, call: Call, before: Result | None, now: Result | None) -> None:
        """Note what *call* of *actor* gave *before* and gives *now*."""
        if actor is None or before is None or now is None or before.errno is not None or now.errno is not None:
            return
        if call.name == "fork":
            child, flags = call.args
            table = self._fds.setdefault(actor, {})
            self._fds[child] = table if flags & CLONE_FILES else dict(table)
            return
        entry = SIGNATURES.get(call.name)
        if entry is None:
            return
        kind = entry.returns(call).kind
        if kind == "fd":
            self._fds.setdefault(actor, {})[before.value] = now.value
        elif kind == "ipc":
            self._ids[_kind(call.name), before.value] = now.value
        for name in _FD_ARRAYS:
            for old, new in zip(_numbers(before.out, name), _numbers(now.out, name), strict=False):
                self._fds.setdefault(actor, {})[old] = new


def _kind(name: str) -> str:
    return name[:3]


def _numbers(out: Mapping[str, Any], name: str) -> tuple[int, ...]:
    value = out.get(name, ())
    return value if isinstance(value, tuple) else ()
