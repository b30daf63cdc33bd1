"""The same enumeration as anybody would write it with drgn alone: what our readers are measured against.

It reads the members that our readers read, of the same objects. Nothing here is slowed down on purpose: members are
read one by one because that is what drgn's objects invite to, and the helpers are drgn's own. What lies in pages of
pipes is left out: drgn's page_to_virt() does not find the memory map of so small a kernel.
"""

from __future__ import annotations

import drgn
from drgn.helpers.linux.fs import for_each_file
from drgn.helpers.linux.ipc import for_each_sysv_msg_queue, for_each_sysv_sem_array, for_each_sysv_shm
from drgn.helpers.linux.list import list_empty, list_for_each_entry
from drgn.helpers.linux.pid import find_task


def attach(qmp_socket: str, vmlinux: str) -> drgn.Program:
    """Open a guest the way drgn's documentation says: over QEMU's monitor."""
    prog = drgn.Program()
    prog.set_qemu_qmp(qmp_socket)
    prog.load_debug_info([vmlinux])
    return prog


_PERM = ("deleted", "id", "key", "mode", "seq", "uid.val", "gid.val", "cuid.val", "cgid.val", "refcount.refs.counter",
         "lock.rlock.raw_lock.val.counter")  # fmt: skip
_FILE = ("f_count.counter", "f_flags", "f_mode", "f_op", "f_inode", "f_pos", "private_data", "f_version", "f_owner.pid",
         "f_owner.signum")  # fmt: skip
_INODE = ("i_mode", "i_uid.val", "i_gid.val", "i_nlink", "i_size", "i_sb", "i_fop", "i_pipe", "i_atime.tv_sec",
          "i_mtime.tv_sec", "i_ctime.tv_sec")  # fmt: skip
_PIPE = ("mutex.owner.counter", "head", "tail", "max_usage", "ring_size", "nr_accounted", "readers", "writers", "files",
         "r_counter", "w_counter", "poll_usage", "tmp_page", "fasync_readers", "fasync_writers", "user.uid.val",
         "watch_queue")  # fmt: skip
_BUFFER = ("offset", "len", "ops", "flags", "private")
_SEM_ARRAY = ("sem_ctime", "sem_nsems", "complex_count", "use_global_lock")
_MSG_QUEUE = ("q_stime", "q_rtime", "q_ctime", "q_cbytes", "q_qnum", "q_qbytes", "q_lspid", "q_lrpid")
_SHMID = ("shm_file", "shm_nattch", "shm_segsz", "shm_atim", "shm_dtim", "shm_ctim", "shm_cprid", "shm_lprid",
          "mlock_ucounts", "shm_creator", "ns", "shm_file.f_inode.i_ino", "shm_file.f_inode.i_size",
          "shm_file.f_inode.i_mapping.nrpages")  # fmt: skip
_SOCKET = ("state", "type", "flags", "file", "sk", "ops", "wq.flags")
_SOCK = ("sk_rcvlowat", "sk_rcvbuf", "sk_sndbuf", "sk_peek_off", "sk_sndtimeo", "sk_rcvtimeo", "sk_priority", "sk_mark",
         "sk_type", "sk_protocol", "sk_lingertime", "sk_err", "sk_err_soft", "sk_ack_backlog", "sk_max_ack_backlog",
         "sk_peer_pid", "sk_peer_cred.euid.val", "sk_peer_cred.egid.val", "sk_shutdown", "sk_uid.val", "sk_userlocks",
         "sk_backlog.rmem_alloc.counter", "sk_wmem_alloc.refs.counter", "sk_receive_queue.qlen",
         "sk_backlog.head", "__sk_common.skc_family", "__sk_common.skc_state", "__sk_common.skc_bound_dev_if",
         "__sk_common.skc_prot", "__sk_common.skc_flags", "__sk_common.skc_reuse",
         "__sk_common.skc_reuseport")  # fmt: skip
_UNIX = ("addr", "peer", "listener", "path.dentry", "scm_stat.nr_fds.counter")


def enumerate_all(prog: drgn.Program, pid: int) -> dict[str, int]:
    """Read every file, pipe and socket of process *pid* and every System V object; return how many of each.

    :param pid: a process that has them all open
    """
    counts = dict.fromkeys(("pipes", "buffers", "sockets", "semaphores", "arrays", "queues", "messages", "segments"), 0)
    pipes = set()
    pipe_fops = prog.symbol("pipefifo_fops").address
    socket_fops = prog.symbol("socket_file_ops").address
    for _, file in for_each_file(find_task(prog, pid)):
        _values(file, _FILE)
        fop = file.f_op.value_()
        if fop == pipe_fops:
            pipe = drgn.cast("struct pipe_inode_info *", file.private_data)
            if pipe.value_() not in pipes:
                pipes.add(pipe.value_())
                _values(file.f_inode, _INODE)
                counts["buffers"] += _pipe(pipe)
        elif fop == socket_fops:
            _socket(file, drgn.cast("struct socket *", file.private_data))
            counts["sockets"] += 1
    counts["pipes"] = len(pipes)
    for array in for_each_sysv_sem_array(prog):
        _values(array.sem_perm, _PERM)
        counts["semaphores"] += _sem_array(array)
        counts["arrays"] += 1
    for queue in for_each_sysv_msg_queue(prog):
        _values(queue.q_perm, _PERM)
        _values(queue, _MSG_QUEUE)
        list_empty(queue.q_receivers.address_of_()), list_empty(queue.q_senders.address_of_())
        for message in list_for_each_entry("struct msg_msg", queue.q_messages.address_of_(), "m_list"):
            size = message.m_ts.value_()
            _values(message, ("m_type", "next"))
            prog.read(message.value_() + drgn.sizeof(prog.type("struct msg_msg")), min(size, 4048))
            counts["messages"] += 1
        counts["queues"] += 1
    for segment in for_each_sysv_shm(prog):
        _values(segment.shm_perm, _PERM)
        _values(segment, _SHMID)
        list_empty(segment.shm_clist.address_of_())
        counts["segments"] += 1
    return counts


def _values(obj: drgn.Object, paths: tuple[str, ...]) -> list[object]:
    """Read the members of *obj* at these dotted paths."""
    values = []
    for path in paths:
        member = obj
        for name in path.split("."):
            member = member.member_(name)
        values.append(member.value_())
    return values


def _pipe(pipe: drgn.Object) -> int:
    _values(pipe, _PIPE)
    list_empty(pipe.rd_wait.head.address_of_()), list_empty(pipe.wr_wait.head.address_of_())
    head, tail = pipe.head.value_(), pipe.tail.value_()
    mask = pipe.ring_size.value_() - 1
    for slot in range(tail, head):
        buffer = pipe.bufs[slot & mask]
        _values(buffer, _BUFFER)
        buffer.page._refcount.counter.value_()
    return int(head - tail)


def _sem_array(array: drgn.Object) -> int:
    _, nsems, _, _ = _values(array, _SEM_ARRAY)
    assert isinstance(nsems, int)
    for head in (array.pending_alter, array.pending_const, array.list_id):
        list_empty(head.address_of_())
    for index in range(nsems):
        sem = array.sems[index]
        _values(sem, ("semval", "sempid", "sem_otime"))
        list_empty(sem.pending_alter.address_of_()), list_empty(sem.pending_const.address_of_())
    return nsems


def _socket(file: drgn.Object, socket: drgn.Object) -> None:
    _values(socket, _SOCKET)
    _values(file.f_inode, ("i_ino", "i_mode", "i_uid.val", "i_gid.val"))
    list_empty(socket.wq.wait.head.address_of_())
    _values(socket.sk, _SOCK)
    _values(drgn.cast("struct unix_sock *", socket.sk), _UNIX)
