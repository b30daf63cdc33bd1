"""Small Worlds to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ktrace.state.fs.file import Descriptor, DescriptorTable, File
from ktrace.state.fs.pipe.pipe import Pipe, PipeBuffer
from ktrace.state.ipc.msg import MsgMsg, MsgQueue, MsgReceiver, MsgSender
from ktrace.state.ipc.namespace import KernIpcPerm
from ktrace.state.ipc.sem import Sem, SemArray, SemBuf, SemQueue, SemUndo
from ktrace.state.ipc.shm import ShmFile, ShmidKernel, ShmMapping
from ktrace.state.net.skbuff import Buffer
from ktrace.state.net.sock import Sock
from ktrace.state.net.socket import Socket
from ktrace.state.net.unix import UnixSock
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter
from ktrace.state.world import World

PIPE, SEM, MSG, SHM = Ref("pipe", "pipe1"), Ref("sem", "3"), Ref("msg", "5"), Ref("shm", "7")
SOCKS = Ref("sock", "sock1"), Ref("sock", "sock2")
PERM = KernIpcPerm(False, 0, 0x1234, 0, 0, 0, 0, 0o600, 0, 1)


def process(name: str) -> Ref:
    """Name an actor's process."""
    return Ref("process", name)


def buffer(data: bytes, **members: Any) -> PipeBuffer:
    """Return a used slot of a ring."""
    whole = PipeBuffer(Ref("page", "page1"), 1, 0, len(data), "anon_pipe_buf_ops", ("CAN_MERGE",), 0, data)
    return replace(whole, **members)


def pipe(**members: Any) -> Pipe:
    """Return a pipe of four slots, empty."""
    empty = Pipe(
        False, (), (), 0, 0, 4, 4, False, 4, 1, 1, 2, 1, 1, False, False, (), (), {}, Ref("user", "0"), False,
        Ref("inode", "inode1"),
    )  # fmt: skip
    return replace(empty, **members)


def pipe_world(value: Pipe) -> World:
    """Return a World with *value*, which A reads and B writes."""
    reader, writer = Ref("file", "file1"), Ref("file", "file2")
    objects: dict[Ref, Any] = {
        PIPE: value,
        reader: File("pipefifo_fops", "r", (), 1, PIPE),
        writer: File("pipefifo_fops", "w", (), 1, PIPE),
    }
    for number, (name, file) in enumerate((("A", reader), ("B", writer)), 3):
        table = Ref("fdtable", f"fdtable{number}")
        objects[process(name)] = Process(name, number, table, 0, 0, 0, 0)
        objects[table] = DescriptorTable(1, {number: Descriptor(file, False)})
    return World(objects)


def waiting(*processes: str) -> tuple[Waiter, ...]:
    """Return sleepers of a pipe."""
    return tuple(Waiter(process(name), True, "autoremove_wake_function") for name in processes)


def sem_world() -> World:
    """Return a set of two semaphores on which C waits, and of which A owes two."""
    undo, owner = Ref("undo", "undo1"), Ref("undo_list", "undo_list1")
    sops = (SemBuf(0, 1), SemBuf(1, -2, ("SEM_UNDO",)))
    asleep = SemQueue(process("C"), None, "C", -4, sops, 1, 2, True, False)
    zero = SemQueue(process("D"), None, "D", -4, (SemBuf(0, 0),), 0, 1, False, False)
    sems = (Sem(5, "A", (), (zero,), 0), Sem(0, None, (), (), 0))
    array = SemArray(PERM, 0, (asleep,), (), (undo,), 2, 1, 10, sems)
    return World(
        {
            SEM: array,
            undo: SemUndo(owner, 3, (-2, 0)),
            process("A"): Process("A", 2, Ref("fdtable", "fdtable1"), 0, 0, 0, 0, undo_list=owner),
        }
    )


def msg_world() -> World:
    """Return a queue with two messages, with a receiver and a sender asleep."""
    messages = (MsgMsg(1, 5, 0, b"hello"), MsgMsg(7, 5000, 1, b"x" * 5000))
    receiver = MsgReceiver(process("B"), "SEARCH_EQUAL", 9, 100, -11)
    queue = MsgQueue(PERM, 0, 0, 0, 5005, 2, 16384, "A", None, messages, (receiver,), (MsgSender(process("C"), 12000),))
    return World({MSG: queue})


def shm_world() -> World:
    """Return a removed segment that A and B still have."""
    file = ShmFile(8192, 7, False, 1, {0: b"shared"})
    perm = replace(PERM, mode=0o1600, key=0)
    segment = ShmidKernel(perm, file, 2, 8192, 0, 0, 0, "A", "B", None, process("A"), Ref("ipc_ns", "init"))
    objects: dict[Ref, Any] = {SHM: segment}
    for name, protection in (("A", "rw-"), ("B", "r--")):
        mapping = ShmMapping(0x20000000, 8192, SHM, 0, protection)
        objects[process(name)] = Process(name, 2, Ref("fdtable", "t"), 0, 0, 0, 0, mappings=(mapping,))
    return World(objects)


def sock(state: str, peer: Ref | None, socket: Ref | None, *queue: bytes, shutdown: tuple[str, ...] = ()) -> Sock:
    """Return an end of an AF_UNIX connection."""
    buffers = tuple(Buffer(len(data), 0, 768, data, None) for data in queue)
    return Sock(
        "AF_UNIX", state, 0, 0, 0, "unix_stream_proto", 1, buffers, len(buffers), (), (), (), 0, 212992, 212992, 1, -1,
        None, 0, 0, (), 0, "SOCK_STREAM", 0, None, (), 0, 0, 0, 0, 0, None, None, shutdown, socket,
        UnixSock(b"\0name" if peer else None, None, peer, None, (), 0, None),
    )  # fmt: skip


def socket_world() -> World:
    """Return two connected sockets; the second has shut down its sending side and bytes to read."""
    one, two = SOCKS
    objects: dict[Ref, Any] = {
        one: sock("TCP_ESTABLISHED", two, Ref("socket", "socket1"), shutdown=("RCV_SHUTDOWN",)),
        two: sock("TCP_ESTABLISHED", one, Ref("socket", "socket2"), b"hello", b"again", shutdown=("SEND_SHUTDOWN",)),
    }
    for number, end in enumerate(SOCKS, 1):
        front, file = Ref("socket", f"socket{number}"), Ref("file", f"file{number}")
        objects[front] = Socket(
            "SS_CONNECTED", "SOCK_STREAM", (), file, end, "unix_stream_ops", (), (), number, "S_IFSOCK|0777", 0, 0
        )
        objects[file] = File("socket_file_ops", "rw", (), 1, front)
    objects[Ref("fdtable", "t")] = DescriptorTable(
        1, {3: Descriptor(Ref("file", "file1"), False), 4: Descriptor(Ref("file", "file2"), True)}
    )
    objects[process("A")] = Process("A", 2, Ref("fdtable", "t"), 0, 0, 0, 0)
    return World(objects)
