"""Build the inspector and the facts of a kernel from the readers of all subsystems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ktrace.inspect.changes import read_changes
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
from ktrace.inspect.net.facts import read_facts as read_socket_facts
from ktrace.inspect.net.socket import SocketReader
from ktrace.inspect.process.process import ProcessReader
from ktrace.inspect.process.signal import SignalReader


def build_inspector(kernel: LiveKernel) -> Inspector:
    """Return an inspector with a reader of every subsystem.

    :raises MissingMember: this kernel lacks a member that a reader needs
    :raises GuestGarbage: its variables make no sense
    """
    with explained("the readers"):
        return _build_inspector(kernel)


def _build_inspector(kernel: LiveKernel) -> Inspector:
    inodes = InodeReader(kernel)
    sysv = SysvReader(kernel)
    files = FileReader(kernel, inodes)
    sockets = SocketReader(kernel, inodes, files)
    files.add_targets(PipeReader(kernel, inodes, files), EpollReader(kernel, files), EventFdReader(kernel), sockets)
    processes = ProcessReader(kernel, files, [sysv, sockets, SignalReader(kernel)])
    return Inspector(kernel, [processes, TreeReader(kernel, inodes), sysv])


def read_facts(kernel: LiveKernel) -> Mapping[str, Any]:
    """Return what the model must be told of *kernel* before the first step, by subsystem.

    :raises MissingMember: this kernel lacks a member that a fact is read from
    :raises GuestGarbage: its variables make no sense
    """
    facts: dict[str, Callable[[], Any]] = {
        "changes": lambda: read_changes(kernel),
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
