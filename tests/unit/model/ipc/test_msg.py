"""Message queues: ``ipc/msg.c``, ``ipc/msgutil.c``."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.state.call import BAD
from ktrace.uapi.ipc import IPC_NOWAIT, IPC_RMID, IPC_SET, IPC_STAT
from ktrace.uapi.msg import MSG_COPY, MSG_EXCEPT, MSG_NOERROR
from tests.unit.model.bench import Bench


def queue(bench: Bench) -> int:
    return int(bench.call("A", "msgget", 0, 0o666))


def send(bench: Bench, actor: str, msqid: int, mtype: int, mtext: bytes, flags: int = 0) -> Any:
    return bench.call(actor, "msgsnd", msqid, {"mtype": mtype, "mtext": mtext}, flags)


def receive(bench: Bench, actor: str, msqid: int, size: int, mtype: int = 0, flags: int = 0) -> Any:
    return bench.call(actor, "msgrcv", msqid, size, mtype, flags)


def got(bench: Bench, actor: str) -> tuple[int, bytes]:
    out = bench.results[actor].out
    return out["mtype"], out["mtext"]


@pytest.mark.parametrize(
    ("mtype", "flags", "expected"),
    [
        (0, 0, (3, b"c")),
        (1, 0, (1, b"a")),
        (2, MSG_EXCEPT, (3, b"c")),
        (3, MSG_EXCEPT, (2, b"b")),
        (-2, 0, (1, b"a")),
        (-3, 0, (1, b"a")),
        (-9, 0, (1, b"a")),
        (-(1 << 63), 0, (1, b"a")),
    ],
)
def test_which_message_is_taken(mtype: int, flags: int, expected: tuple[int, bytes]) -> None:
    """convert_mode(), find_msg(): a negative type takes the lowest one up to its absolute value."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    for number, text in ((3, b"c"), (2, b"b"), (1, b"a"), (1, b"z")):
        send(bench, "A", msqid, number, text)
    receive(bench, "A", msqid, 10, mtype, flags)
    assert got(bench, "A") == expected


def test_the_first_of_the_lowest_type() -> None:
    """find_msg(): a later message of the same type is not lower."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    for number, text in ((5, b"x"), (2, b"first"), (2, b"second")):
        send(bench, "A", msqid, number, text)
    receive(bench, "A", msqid, 10, -4)
    assert got(bench, "A") == (2, b"first")


def test_too_long_messages() -> None:
    """do_msgrcv(): E2BIG leaves it, MSG_NOERROR cuts it."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    send(bench, "A", msqid, 1, b"hello")
    assert receive(bench, "A", msqid, 4) == "E2BIG"
    assert bench.object("msg", str(msqid)).q_qnum == 1
    assert receive(bench, "A", msqid, 4, 0, MSG_NOERROR) == 4
    assert got(bench, "A") == (1, b"hell")
    assert receive(bench, "A", msqid, 4, 0, IPC_NOWAIT) == "ENOMSG"


def test_copies_leave_the_message() -> None:
    """MSG_COPY: by position; copy_msg() refuses what does not fit."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    send(bench, "A", msqid, 4, b"four")
    send(bench, "A", msqid, 9, b"nine!")
    copy = MSG_COPY | IPC_NOWAIT
    assert receive(bench, "A", msqid, 9, 1, copy) == 5
    assert got(bench, "A") == (9, b"nine!")
    assert receive(bench, "A", msqid, 9, 2, copy) == "ENOMSG"
    assert receive(bench, "A", msqid, 3, 0, copy) == "E2BIG"
    assert receive(bench, "A", msqid, 3, 0, copy | MSG_NOERROR) == "EINVAL"
    assert receive(bench, "A", msqid, 9, 0, MSG_COPY) == "EINVAL"
    assert receive(bench, "A", msqid, 9, 0, copy | MSG_EXCEPT) == "EINVAL"
    assert bench.object("msg", str(msqid)).q_qnum == 2


def test_a_faulting_receive_loses_the_message() -> None:
    """do_msgrcv() unlinks before do_msg_fill() copies."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    send(bench, "A", msqid, 1, b"gone")
    assert bench.call("A", "msgrcv", msqid, BAD, 10, 0, 0) == "EFAULT"
    assert bench.object("msg", str(msqid)).q_qnum == 0


def test_long_messages_have_segments() -> None:
    """alloc_msg(): DATALEN_MSG and then DATALEN_SEG."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    for size in (4048, 4049, 8136):
        send(bench, "A", msqid, 1, b"x" * size)
    assert [msg.segments for msg in bench.object("msg", str(msqid)).q_messages] == [0, 1, 1]


def test_refusals_of_msgsnd() -> None:
    """do_msgsnd()."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    assert send(bench, "A", msqid, 1, b"x" * 8193) == "EINVAL"
    assert send(bench, "A", msqid, 0, b"x") == "EINVAL"
    assert send(bench, "A", -1, 1, b"x") == "EINVAL"
    assert send(bench, "A", msqid + 1, 1, b"x") == "EINVAL"
    assert bench.call("A", "msgsnd", msqid, BAD, 3, 0) == "EFAULT"
    bench.sysctl("kernel/msgmax", "3")
    assert send(bench, "A", msqid, 1, b"1234") == "EINVAL"


def test_full_by_bytes_and_by_count() -> None:
    """msg_fits_inqueue()."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    assert send(bench, "A", msqid, 1, b"x" * 8192) == 0
    assert send(bench, "A", msqid, 1, b"x" * 8192) == 0
    assert send(bench, "A", msqid, 1, b"") == 0
    assert send(bench, "A", msqid, 1, b"x", IPC_NOWAIT) == "EAGAIN"
    assert bench.call("A", "msgctl", msqid, IPC_SET, {"uid": 0, "gid": 0, "mode": 0o600, "msg_qbytes": 3}) == 0
    assert send(bench, "A", msqid, 1, b"", IPC_NOWAIT) == "EAGAIN"


def test_a_waiting_receiver_is_handed_the_message() -> None:
    """pipelined_send(): it never touches the queue; who wanted too little gets E2BIG."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    assert receive(bench, "B", msqid, 2, 7) == "blocked"
    assert receive(bench, "C", msqid, 9, -8) == "blocked"
    assert receive(bench, "D", msqid, 9, 6) == "blocked"
    assert send(bench, "A", msqid, 7, b"hello") == 0
    assert bench.answers == {"A": 0, "B": "E2BIG", "C": 5}
    seen = bench.object("msg", str(msqid))
    assert (seen.q_qnum, seen.q_cbytes, seen.q_lspid, seen.q_lrpid) == (0, 0, "A", "C")
    assert [msr.r_tsk.key for msr in seen.q_receivers] == ["D"]
    assert bench.object("ipc_ns", "init").percpu_msg_bytes == 0


def test_waiting_senders_that_do_not_fit_go_to_the_end() -> None:
    """ss_wakeup()."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    send(bench, "A", msqid, 1, b"x" * 8000)
    send(bench, "A", msqid, 2, b"y" * 8000)
    send(bench, "A", msqid, 3, b"z" * 384)
    assert send(bench, "B", msqid, 4, b"b" * 8000) == "blocked"
    assert send(bench, "C", msqid, 5, b"c" * 300) == "blocked"
    assert bench.object("msg", str(msqid)).q_perm.refcount == 3
    receive(bench, "A", msqid, 8192, 3)
    assert list(bench.answers) == ["A", "C"]
    assert [mss.tsk.key for mss in bench.object("msg", str(msqid)).q_senders] == ["B"]
    receive(bench, "A", msqid, 8192, 1)
    assert list(bench.answers) == ["A", "B"]
    assert bench.object("msg", str(msqid)).q_perm.refcount == 1


def test_removal_and_signals_end_sleep() -> None:
    """freeque(): receivers, then senders; -ERESTARTNOHAND becomes EINTR."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    send(bench, "A", msqid, 1, b"x" * 8192)
    send(bench, "A", msqid, 1, b"x" * 8192)
    assert send(bench, "B", msqid, 1, b"x") == "blocked"
    assert receive(bench, "C", msqid, 9, 5) == "blocked"
    assert receive(bench, "D", msqid, 9, 5) == "blocked"
    bench.kill("D", 10)
    assert bench.answers == {"D": "EINTR"}
    bench.call("A", "msgctl", msqid, IPC_RMID)
    assert bench.answers == {"A": 0, "C": "EIDRM", "B": "EIDRM"}
    ns = bench.object("ipc_ns", "init")
    assert (ns.percpu_msg_bytes, ns.percpu_msg_hdrs, ns.msg_ids.in_use) == (0, 0, 0)


def test_ipc_set_makes_all_look_again() -> None:
    """msgctl_down(): sleeping receivers may have lost their right, sleeping senders won room."""
    bench = Bench("ABCD")
    bench.spawn("U", uid=1000, gid=1000)
    msqid = queue(bench)
    assert receive(bench, "U", msqid, 9, 5) == "blocked"
    assert receive(bench, "B", msqid, 9, 5) == "blocked"
    bench.call("A", "msgctl", msqid, IPC_SET, {"uid": 0, "gid": 0, "mode": 0o600, "msg_qbytes": 16384})
    assert bench.answers == {"A": 0, "U": "EACCES"}
    assert [msr.r_tsk.key for msr in bench.object("msg", str(msqid)).q_receivers] == ["B"]


def test_only_the_privileged_raise_the_size() -> None:
    """msgctl_down(): CAP_SYS_RESOURCE above msgmnb; a negative size is a huge one."""
    bench = Bench("ABCD")
    bench.spawn("U", uid=1000, gid=1000)
    msqid = bench.call("U", "msgget", 0, 0o600)
    perm = {"uid": 1000, "gid": 1000, "mode": 0o600}
    assert bench.call("U", "msgctl", msqid, IPC_SET, {**perm, "msg_qbytes": 16385}) == "EPERM"
    assert bench.call("U", "msgctl", msqid, IPC_SET, {**perm, "msg_qbytes": 10}) == 0
    assert bench.call("A", "msgctl", msqid, IPC_SET, {**perm, "msg_qbytes": 0xFFFFFFFF}) == 0
    assert bench.object("msg", str(msqid)).q_qbytes == (1 << 64) - 1


def test_what_msgctl_tells() -> None:
    """msgctl_stat(), msgctl_info()."""
    bench = Bench("ABCD")
    msqid = queue(bench)
    send(bench, "B", msqid, 1, b"12345")
    bench.call("A", "msgctl", msqid, IPC_STAT)
    buf = bench.results["A"].out["buf"]
    assert (buf["msg_qnum"], buf["msg_cbytes"], buf["msg_lspid"], buf["msg_lrpid"]) == (1, 5, "B", 0)
    bench.call("A", "msgctl", 0, 12)
    info = bench.results["A"].out["buf"]
    assert (info["msgpool"], info["msgmap"], info["msgtql"]) == (1, 1, 5)
    assert bench.call("A", "msgctl", msqid, -1) == "EINVAL"
    assert bench.call("A", "msgctl", msqid, 99) == "EINVAL"
