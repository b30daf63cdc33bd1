"""What the seed claims, each claim with the measurement that judges it.

A judge returns a verdict and its evidence. Verdicts: ``right``; ``aged``, which was so once, or is so for the case that
the seed thinks of but no more in general; ``wrong``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ktrace.seed.record import Record

Judgement = tuple[str, str]
Judge = Callable[[Record], Judgement]


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the seed.

    :param chapter: its chapter's name
    """

    chapter: str
    text: str
    judge: Judge


def _verdict(holds: bool, evidence: str, otherwise: str = "wrong") -> Judgement:
    return ("right" if holds else otherwise), evidence


# -- pipes ---------------------------------------------------------------------------------------


def _sixteen_buffers(record: Record) -> Judgement:
    fresh, grown = record.only(2, "pipe"), record.only(9, "pipe")
    size, refused = record.result(3).value, record.result(6).errno
    evidence = (
        f"new pipes have ring_size {fresh.ring_size}, F_GETPIPE_SZ says {size}, after 16 pages write() says {refused}; "
        f"but F_SETPIPE_SZ made it {grown.ring_size} (fs.pipe-max-size): 16 is the default, not the most"
    )
    return ("aged" if grown.ring_size > 16 else "right") if fresh.ring_size == 16 else "wrong", evidence


def _one_inode_two_files(record: Record) -> Judgement:
    world = record.world(2)
    pipe = record.only(2, "pipe")
    files = [file for file in world.of_kind("file").values() if file.f_op == "pipefifo_fops"]
    inodes = [inode for inode in world.of_kind("inode").values() if inode.i_sb == "pipefs"]
    return _verdict(
        len(files) == 2 and pipe.files == 2 and len(inodes) == 1,
        f"pipe2() made {len(inodes)} inode of pipefs and {len(files)} files, one each way; files is {pipe.files}",
    )


def _own_filesystem(record: Record) -> Judgement:
    type_ = record.prog["pipe_fs_type"]
    name = type_.name.string_().decode()
    symbol = record.lab.kernel.symbol
    start, end = symbol(type_.init_fs_context.value_()), symbol(type_.kill_sb.value_())
    good = (name, start, end) == ("pipefs", "pipefs_init_fs_context", "kill_anon_super")
    return _verdict(good, f"pipe_fs_type is {name!r} with {start} and {end}")


def _child_reads(record: Record) -> Judgement:
    got = record.result(12)
    return _verdict(got.value == 12, f"the child read {got.out.get('buf')!r} out of the parent's pipe")


def _named_pipes(record: Record) -> Judgement:
    files = {file.f_op for file in record.world(14).of_kind("file").values()}
    return _verdict(
        len(files) > 1,
        f"files of both kinds have the same f_op ({', '.join(sorted(files))}): read() and write() lead to pipe_read() "
        "and pipe_write() for both. A name is the whole difference; dup2() is the shell's habit, no part of a pipe",
    )


# -- System V ------------------------------------------------------------------------------------


def _three_kinds(record: Record) -> Judgement:
    ns = record.prog["init_ipc_ns"]
    used = [ns.ids[index].in_use.value_() for index in range(3)]
    length = ns.ids.type_.length
    return _verdict(
        length == 3 and used[0] > used[1] == used[2] == 1,
        f"ids has {length} elements; with {used[0]} sets, 1 queue and 1 segment made, in_use is {used}",
    )


def _persistent(record: Record) -> Judgement:
    after = record.result(10)
    return _verdict(
        after.errno is None, f"A made the set and exited; semctl(GETVAL) of B, no relative of A, returned {after.value}"
    )


def _unique_ids(record: Record) -> Judgement:
    ids = [record.result(line).value for line in (2, 3, 4)]
    return _verdict(
        len(set(ids)) == 3,
        f"semget, msgget and shmget all returned {ids[0]}: an identifier means something among its own kind only, and "
        "in its own namespace"
        if len(set(ids)) == 1
        else f"they returned {ids}",
        "aged",
    )


def _whole_linux(record: Record) -> Judgement:
    inside = record.result(16)
    return (
        "aged" if inside.errno else "right",
        f"after unshare(CLONE_NEWIPC) the same id gives {inside.errno}: since 2.6.19 it is global within a namespace",
    )


def _radix_tree(record: Record) -> Judgement:
    type_ = record.prog.type("struct idr").member("idr_rt").type.type_name()
    return (
        ("aged", f"idr_rt is a {type_}: struct radix_tree_root is only another word for it since 4.20")
        if "xarray" in type_
        else ("right", f"idr_rt is a {type_}")
    )


def _findkey(record: Record) -> Judgement:
    ids = record.prog["init_ipc_ns"].ids[0]
    if not hasattr(ids, "key_ht"):
        return "right", "struct ipc_ids has no other index than its IDR"
    return (
        "aged",
        f"ipc_findkey() looks keys up in key_ht, a {ids.key_ht.type_.type_name()} with "
        f"{ids.key_ht.nelems.counter.value_()} entry here, since 4.14; the IDR is for identifiers",
    )


def _ipc_private_creates(record: Record) -> Judgement:
    without, with_flag = record.result(6), record.result(2)
    return _verdict(
        without.errno != "ENOENT",
        f"what makes ipcget_public() create is IPC_CREAT: without it semget() gives {without.errno}, with it "
        f"{with_flag.value}; IPC_PRIVATE is a key, and never gets there",
    )


def _seq_makes_ids(record: Record) -> Judgement:
    perms = [value.sem_perm for value in record.world(7).of_kind("sem").values()]
    facts = record.lab.facts["sysv"]
    shift = facts.ipc_mni_shift
    good = all(perm.id == perm.seq << shift | perm.id & (1 << shift) - 1 for perm in perms)
    ids = record.prog["init_ipc_ns"].ids[0]
    next_id = ids.next_id.value_() if hasattr(ids, "next_id") else "not there"
    return _verdict(
        good,
        f"id is seq << {shift} | index for all {len(perms)} sets; next_id is {next_id}: it only wishes for an id, and "
        "only CONFIG_CHECKPOINT_RESTORE has it",
    )


def _direct_map(record: Record) -> Judgement:
    small, large = _idr_entry(record, 0), _idr_entry(record, 1)
    memory = record.lab.kernel.memory
    if memory.page_offset <= large < memory.page_offset + memory.ram_size:
        return "right", (
            f"a set of 1 lies at {small:#x}, one of 32000 at {large:#x}, both in the direct map; for the large one "
            "kvmalloc() may also take vmalloc's"
        )
    return "aged", f"a set of 1 lies at {small:#x}, in the direct map, one of 32000 at {large:#x}, which is vmalloc's"


def _idr_entry(record: Record, index: int) -> int:
    from drgn.helpers.linux.idr import idr_find

    ids = record.prog["init_ipc_ns"].ids[0]
    return int(idr_find(ids.ipcs_idr.address_of_(), index).value_())


# -- shared memory -------------------------------------------------------------------------------


def _shared(record: Record) -> Judgement:
    segment = record.world(6).of_kind("shm")
    attached = [value.shm_nattch for value in segment.values()]
    return _verdict(
        attached == [2], f"A stored, B loaded {record.result(6).out.get('buf')!r}; shm_nattch {attached[0]}"
    )


# -- semaphores ----------------------------------------------------------------------------------


def _undo(record: Record) -> Judgement:
    before, after = record.result(8).out["array"], record.result(10).out["array"]
    return _verdict(
        list(before) == [3, 2] and list(after) == [5, 2],
        f"B took 2 of semaphore 0 with SEM_UNDO, 1 of semaphore 1 without: values {list(before)}, after its exit "
        f"{list(after)}. The flag is SEM_UNDO, not SUM_UNDO",
    )


def _undo_kill(record: Record) -> Judgement:
    after = record.result(14).out["array"]
    return _verdict(list(after) == [5, 2], f"C took 4 and was killed by SIGKILL: {list(after)}")


def _reverse_kept(record: Record) -> Judgement:
    undo = record.world(6).of_kind("undo")
    semadj = [value.semadj for value in undo.values()]
    return (
        "aged" if semadj == [(2, 0)] else "wrong",
        f"after two operations there is one sem_undo, semadj {list(semadj[0])}: not an operation each, but one sum for "
        "each semaphore of a set, and only of operations with SEM_UNDO",
    )


def _values(record: Record) -> Judgement:
    sems = record.only(3, "sem").sems
    return _verdict([sem.semval for sem in sems] == [3, 3], f"sems[] holds semval {[sem.semval for sem in sems]}")


# -- messages ------------------------------------------------------------------------------------


def _sixteen_queues(record: Record) -> Judgement:
    count = record.sysctl("msgmni")
    return _verdict(count == 16, f"kernel.msgmni is {count} (MSGMNI: 16 once, 32000 since 3.19)", "aged")


def _queue_bytes(record: Record) -> Judgement:
    queue, longest = record.only(2, "msg").q_qbytes, record.sysctl("msgmax")
    return _verdict(
        queue == 8192,
        f"a new queue has q_qbytes {queue} (kernel.msgmnb {record.sysctl('msgmnb')}); kernel.msgmax is {longest}, the "
        "most for one message",
    )


def _read_once(record: Record) -> Judgement:
    before, after = record.only(4, "msg"), record.only(5, "msg")
    return _verdict(
        (before.q_qnum, after.q_qnum) == (2, 1),
        f"q_qnum {before.q_qnum} before msgrcv(), {after.q_qnum} after (MSG_COPY, if asked for, leaves the message)",
    )


def _linked_list(record: Record) -> Judgement:
    type_ = record.prog.type("struct msg_queue").member("q_messages").type.type_name()
    texts = [message.text for message in record.only(4, "msg").q_messages]
    return _verdict(type_ == "struct list_head", f"q_messages is a {type_}: {texts}")


# -- sockets -------------------------------------------------------------------------------------


def _states(record: Record) -> Judgement:
    type_ = record.prog.type("socket_state").type
    found = [(item.name, item.value) for item in type_.enumerators]
    wanted = ["SS_FREE", "SS_UNCONNECTED", "SS_CONNECTING", "SS_CONNECTED", "SS_DISCONNECTING"]
    return _verdict(
        found == [(name, index) for index, name in enumerate(wanted)], ", ".join(f"{n} {v}" for n, v in found)
    )


def _fresh_socket(record: Record) -> Judgement:
    socket = record.only(2, "socket")
    return _verdict(
        (socket.state, socket.ops) == ("SS_UNCONNECTED", "inet_stream_ops"),
        f"socket(AF_INET, SOCK_STREAM) left state {socket.state}, ops {socket.ops}",
    )


def _inet_family(record: Record) -> Judgement:
    ops = record.prog["inet_family_ops"]
    create = record.lab.kernel.symbol(ops.create.value_())
    return _verdict(
        create == "inet_create" and ops.family.value_() == 2, f"inet_family_ops: family {ops.family.value_()}, {create}"
    )


def _inetsw(record: Record) -> Judgement:
    from drgn.helpers.linux.list import list_for_each_entry

    symbol = record.lab.kernel.symbol
    rows = []
    for index in range(1, record.prog["inetsw"].type_.length):
        head = record.prog["inetsw"][index]
        for entry in list_for_each_entry("struct inet_protosw", head.address_of_(), "list"):
            names = symbol(entry.prot.value_()), symbol(entry.ops.value_())
            rows.append((index, entry.protocol.value_(), *names))
    wanted = [
        (1, 6, "tcp_prot", "inet_stream_ops"),
        (2, 17, "udp_prot", "inet_dgram_ops"),
        (2, 1, "ping_prot", "inet_sockraw_ops"),
        (3, 0, "raw_prot", "inet_sockraw_ops"),
    ]
    more = [
        f"{prot} ({type_}, {protocol})"
        for type_, protocol, prot, ops in rows
        if (type_, protocol, prot, ops) not in wanted
    ]
    evidence = f"all four are there{', and besides ' + ', '.join(more) if more else ''}"
    missing = [row[2] for row in wanted if row not in rows]
    return _verdict(not missing, evidence if not missing else f"missing: {', '.join(missing)}")


def _skb_list(record: Record) -> Judgement:
    members = [member.name for member in record.prog.type("struct sk_buff_head").members]
    names = [name or "(next, prev)" for name in members]
    queue = f"sk_receive_queue is a sk_buff_head ({', '.join(names)}), a doubly linked list"
    if not record.prog.type("struct sock").has_member("tcp_rtx_queue"):
        return "right", queue
    return "aged", f"{queue}; but TCP keeps what is not yet acknowledged in tcp_rtx_queue, a red-black tree, since 4.15"


CLAIMS = (
    Claim("pipes", "every pipe is one inode and two file objects, one to read and one to write", _one_inode_two_files),
    Claim("pipes", "a pipe's buffer is an array of 16 pages, at most", _sixteen_buffers),
    Claim("pipes", "a pipe is a special file system, pipefs", _own_filesystem),
    Claim("pipes", "a child reads and writes the pipes of its parent", _child_reads),
    Claim("pipes", "named pipes differ from others in that pipe_read() and pipe_write() must be called", _named_pipes),
    Claim("system-v", "ids[3]: semaphores 0, messages 1, shared memory 2", _three_kinds),
    Claim("system-v", "objects stay until they are removed, whoever made them", _persistent),
    Claim("system-v", "an IPC identifier is unique", _unique_ids),
    Claim("system-v", "IPC objects are visible in all of Linux", _whole_linux),
    Claim("system-v", "seq (and next_id) make the identifier", _seq_makes_ids),
    Claim("system-v", "ipcs_idr is a radix tree", _radix_tree),
    Claim("system-v", "ipc_findkey() searches the radix tree", _findkey),
    Claim("system-v", "ipcget_public() creates what it does not find if IPC_PRIVATE is set", _ipc_private_creates),
    Claim("system-v", "kvmalloc() takes struct sem_array from the direct map", _direct_map),
    Claim("shared-memory", "a segment is the same memory for all who attach it", _shared),
    Claim("semaphores", "sems[] keeps the current values in semval", _values),
    Claim("semaphores", "with SEM_UNDO the end of a process takes its operations back", _undo),
    Claim("semaphores", "... also an end by surprise", _undo_kill),
    Claim("semaphores", "every operation keeps a reverse struct sem_undo", _reverse_kept),
    Claim("messages", "a message that was read is deleted", _read_once),
    Claim("messages", "a queue is a linked list", _linked_list),
    Claim("messages", "there are 16 message queues by default", _sixteen_queues),
    Claim("messages", "each is 8192 bytes large", _queue_bytes),
    Claim("sockets", "socket_state: SS_FREE 0 to SS_DISCONNECTING 4", _states),
    Claim("sockets", "a new TCP socket is SS_UNCONNECTED with inet_stream_ops", _fresh_socket),
    Claim("sockets", "inet_family_ops makes sockets with inet_create()", _inet_family),
    Claim("sockets", "inetsw holds TCP, UDP, ICMP and raw", _inetsw),
    Claim("sockets", "sk_buffs are kept on doubly linked lists", _skb_list),
)
