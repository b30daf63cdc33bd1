"""Put the readers of a kernel together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.inspect.fs.epoll import EpollReader
from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.fs.inode import InodeReader, TreeReader
from ktrace.inspect.fs.pipe.pipe import PipeReader, read_pipe_facts
from ktrace.inspect.inspector import Inspector
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.net.facts import read_facts as read_socket_facts
from ktrace.inspect.net.socket import SocketReader
from ktrace.inspect.process.process import ProcessReader


def build_inspector(kernel: LiveKernel) -> Inspector:
    """Return an inspector with a reader of every subsystem."""
    inodes = InodeReader(kernel)
    sysv = SysvReader(kernel)
    sockets = SocketReader(kernel, inodes)
    pipes = PipeReader(kernel, inodes)
    epolls = EpollReader(kernel)
    files = FileReader(kernel, inodes, [pipes, epolls, sockets])
    pipes.files = epolls.files = sockets.socks.files = files
    processes = ProcessReader(kernel, files, [sysv, sockets])
    return Inspector(kernel, [processes, TreeReader(kernel, inodes), sysv])


def read_facts(kernel: LiveKernel) -> Mapping[str, Any]:
    """Return what the model must be told of *kernel* before the first step, by subsystem."""
    return {
        "pipe": read_pipe_facts(kernel),
        "tree": TreeReader(kernel, InodeReader(kernel)).facts(),
        "sysv": SysvReader(kernel).facts(),
        "socket": read_socket_facts(kernel),
    }
