"""The same enumeration as anybody would write it with drgn alone: what our readers are measured against.

Nothing here is slowed down on purpose: members are read one by one because that is what drgn's objects
invite to, and the helpers are drgn's own.
"""

from __future__ import annotations

import drgn
from drgn.helpers.linux.fs import for_each_file
from drgn.helpers.linux.ipc import for_each_sysv_msg_queue, for_each_sysv_sem_array, for_each_sysv_shm
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import find_task


def attach(qmp_socket: str, vmlinux: str) -> drgn.Program:
    """Open a guest the way drgn's documentation says: over QEMU's monitor."""
    prog = drgn.Program()
    prog.set_qemu_qmp(qmp_socket)
    prog.load_debug_info([vmlinux])
    return prog


def enumerate_all(prog: drgn.Program, pid: int) -> dict[str, int]:
    """Read every pipe and socket of process *pid* and every System V object; return how many of each.

    :param pid: a process that has them all open
    """
    counts = dict.fromkeys(("pipes", "buffers", "sockets", "semaphores", "arrays", "queues", "messages", "segments"), 0)
    pipes = set()
    pipe_fops = prog.symbol("pipefifo_fops").address
    socket_fops = prog.symbol("socket_file_ops").address
    for _, file in for_each_file(find_task(prog, pid)):
        fop = file.f_op.value_()
        if fop == pipe_fops:
            pipe = drgn.cast("struct pipe_inode_info *", file.private_data)
            if pipe.value_() not in pipes:
                pipes.add(pipe.value_())
                counts["buffers"] += _pipe(pipe)
        elif fop == socket_fops:
            _socket(drgn.cast("struct socket *", file.private_data))
            counts["sockets"] += 1
    counts["pipes"] = len(pipes)
    for array in for_each_sysv_sem_array(prog):
        _perm(array.sem_perm)
        values = [(sem.semval.value_(), sem.sempid.value_()) for sem in _sems(array)]
        counts["semaphores"] += len(values)
        counts["arrays"] += 1
    for queue in for_each_sysv_msg_queue(prog):
        _perm(queue.q_perm)
        [getattr(queue, name).value_() for name in ("q_cbytes", "q_qnum", "q_qbytes")]
        for message in list_for_each_entry("struct msg_msg", queue.q_messages.address_of_(), "m_list"):
            size = message.m_ts.value_()
            message.m_type.value_()
            prog.read(message.value_() + drgn.sizeof(prog.type("struct msg_msg")), min(size, 4048))
            counts["messages"] += 1
        counts["queues"] += 1
    for segment in for_each_sysv_shm(prog):
        _perm(segment.shm_perm)
        [getattr(segment, name).value_() for name in ("shm_nattch", "shm_segsz", "shm_cprid", "shm_lprid")]
        counts["segments"] += 1
    return counts


def _pipe(pipe: drgn.Object) -> int:
    head, tail = pipe.head.value_(), pipe.tail.value_()
    for name in ("max_usage", "ring_size", "nr_accounted", "readers", "writers", "files", "r_counter", "w_counter"):
        getattr(pipe, name).value_()
    mask = pipe.ring_size.value_() - 1
    for slot in range(tail, head):
        buffer = pipe.bufs[slot & mask]
        [getattr(buffer, name).value_() for name in ("page", "offset", "len", "ops", "flags", "private")]
    return int(head - tail)


def _perm(perm: drgn.Object) -> None:
    for name in ("deleted", "id", "key", "mode", "seq"):
        getattr(perm, name).value_()
    for name in ("uid", "gid", "cuid", "cgid"):
        getattr(perm, name).val.value_()


def _sems(array: drgn.Object) -> list[drgn.Object]:
    return [array.sems[index] for index in range(array.sem_nsems.value_())]


def _socket(socket: drgn.Object) -> None:
    for name in ("state", "type", "flags", "ops"):
        getattr(socket, name).value_()
    sk = socket.sk
    for path in ("sk_shutdown", "sk_err", "sk_rcvbuf", "sk_sndbuf", "sk_ack_backlog", "sk_max_ack_backlog"):
        getattr(sk, path).value_()
    sk.member_("__sk_common").skc_state.value_()
    sk.sk_receive_queue.qlen.value_()
