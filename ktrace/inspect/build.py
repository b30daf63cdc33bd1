"""Build the inspector and the facts of a kernel from the readers of all subsystems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ktrace.inspect.changes import read_changes
from ktrace.inspect.config import read_config
from ktrace.inspect.corrupt import explained
from ktrace.inspect.fs.epoll import EpollReader
from ktrace.inspect.fs.eventfd import EventFdReader
from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.fs.pipe.pipe import PipeReader, read_pipe_facts
from ktrace.inspect.fs.tree import TreeReader
from ktrace.inspect.inspector import Inspector
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import allow_unread
from ktrace.inspect.net.facts import read_facts as read_socket_facts
from ktrace.inspect.net.socket import SocketReader
from ktrace.inspect.process.process import ProcessReader
from ktrace.inspect.process.signal import SignalReader
from ktrace.inspect.unread import reader_or_unread


def build_inspector(kernel: LiveKernel) -> Inspector:
    """Return an inspector with a reader of every subsystem.

    What a kernel has no member for reads as :class:`~ktrace.state.unread.Unread` where nothing else depends on it, and
    is noted (``ktrace.inspect.members.allow_unread()``).

    :raises MissingMember: this kernel lacks a member without which nothing can be read
    :raises GuestGarbage: its variables make no sense
    """
    allow_unread(kernel.prog)
    with explained("the readers"):
        return _build_inspector(kernel)


def _build_inspector(kernel: LiveKernel) -> Inspector:
    prog = kernel.prog
    inodes = InodeReader(kernel)
    sysv = SysvReader(kernel)
    files = FileReader(kernel, inodes)
    sockets = reader_or_unread(prog, SocketReader, lambda: SocketReader(kernel, inodes, files))
    pipes = reader_or_unread(prog, PipeReader, lambda: PipeReader(kernel, inodes, files))
    epolls = reader_or_unread(prog, EpollReader, lambda: EpollReader(kernel, files))
    eventfds = reader_or_unread(prog, EventFdReader, lambda: EventFdReader(kernel))
    files.add_targets(pipes, epolls, eventfds, sockets)
    processes = ProcessReader(kernel, files, [sysv, SignalReader(kernel)])
    return Inspector(kernel, [processes, TreeReader(kernel, inodes), sysv])


def read_facts(kernel: LiveKernel) -> Mapping[str, Any]:
    """Return what the model must be told of *kernel* before the first step, by subsystem.

    :raises MissingMember: this kernel lacks a member that a fact is read from
    :raises GuestGarbage: its variables make no sense
    """
    facts: dict[str, Callable[[], Any]] = {
        "changes": lambda: read_changes(kernel),
        "config": lambda: read_config(kernel),
        "pipe": lambda: read_pipe_facts(kernel),
        "tree": lambda: TreeReader(kernel, InodeReader(kernel)).facts(),
        "sysv": lambda: SysvReader(kernel).facts(),
        "socket": lambda: read_socket_facts(kernel),
    }
    found = {}
    for subsystem, read in facts.items():
        with explained(f"the facts of {subsystem}"):
            found[subsystem] = read()
    return found
