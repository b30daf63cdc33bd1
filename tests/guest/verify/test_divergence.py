"""Every view is a check: one byte poked into the guest's memory, one wrong rule, and the report names just that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import drgn
import pytest

from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from ktrace.workload.tokens import ScriptError
from tests.guest.poke import poke
from tests.sinks import Record


def address_of(lab: Lab, kind: str) -> int:
    """Return the kernel address of the only object of *kind* that the actors have."""
    found = [ref.key for ref in lab.inspector.observe().objects if ref.kind == kind]
    assert len(found) == 1, found
    assert isinstance(found[0], int)
    return found[0]


def ipc_object(lab: Lab, ids: int, type_name: str, member: str) -> drgn.Object:
    """Return the first System V object of a kind, by drgn's own helpers."""
    from drgn.helpers.linux.idr import idr_find

    prog = lab.kernel.prog
    idr = prog["init_ipc_ns"].ids[ids].ipcs_idr
    return drgn.container_of(drgn.cast("struct kern_ipc_perm *", idr_find(idr.address_of_(), 0)), type_name, member)


def one_up(byte: int) -> int:
    """Return the next byte value."""
    return byte + 1 & 0xFF


def pipe_info(lab: Lab) -> drgn.Object:
    """Return the only pipe; its name in the World is its inode's."""
    return drgn.Object(lab.kernel.prog, "struct inode *", value=address_of(lab, "pipe")).i_pipe


def pipe_head(lab: Lab) -> int:
    return int(pipe_info(lab).head.address_)


def pipe_payload(lab: Lab) -> int:
    pipe = pipe_info(lab)
    memory = lab.kernel.memory
    return memory.page_offset + (memory.pfn(pipe.bufs[0].page.value_()) << 12) + 2


def semval(lab: Lab) -> int:
    return int(ipc_object(lab, 0, "struct sem_array", "sem_perm").sems[1].semval.address_)


def semadj(lab: Lab) -> int:
    undo = drgn.Object(lab.kernel.prog, "struct sem_undo *", value=address_of(lab, "undo"))
    return int(undo.semadj.value_()) + 2


def q_cbytes(lab: Lab) -> int:
    return int(ipc_object(lab, 1, "struct msg_queue", "q_perm").q_cbytes.address_)


def shm_nattch(lab: Lab) -> int:
    return int(ipc_object(lab, 2, "struct shmid_kernel", "shm_perm").shm_nattch.address_)


def socket_state(lab: Lab) -> int:
    # The first descriptor's: two sockets there are.
    from drgn.helpers.linux.fs import fget

    prog = lab.kernel.prog
    file = fget(drgn.Object(prog, "struct task_struct *", value=lab.inspector.tasks["A"]), 0)
    return int(drgn.cast("struct socket *", file.private_data).state.address_)


PIPE = 'A: pipe2([r, w], 0)\nA: write(w, "hello")\nA: getpid()\n'
SEM = "A: semget(IPC_PRIVATE, 2, 0600) -> s\nA: semop(s, [{1, 5, SEM_UNDO}])\nA: getpid()\n"
MSG = 'A: msgget(IPC_PRIVATE, 0600) -> q\nA: msgsnd(q, {1, "hello"})\nA: getpid()\n'
SHM = "A: shmget(IPC_PRIVATE, 4096, 0600) -> m\nA: shmat(m) -> p\nA: getpid()\n"
SOCKET = "A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])\nA: getpid()\n"


@pytest.mark.parametrize(
    ("script", "place", "path", "observed", "expected"),
    [
        (PIPE, pipe_head, "pipe1.head", 2, 1),
        (PIPE, pipe_payload, "pipe1.bufs[0].data", b"hemlo", b"hello"),
        (SEM, semval, "sem 0.sems[1].semval", 6, 5),
        (SEM, semadj, "undo1.semadj[1]", -4, -5),
        (MSG, q_cbytes, "msg 0.q_cbytes", 6, 5),
        (SHM, shm_nattch, "shm 0.shm_nattch", 2, 1),
        (SOCKET, socket_state, "socket1.state", "SS_DISCONNECTING", "SS_CONNECTED"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and "\n" not in value else "",
)
def test_one_poked_byte_is_one_named_field(
    lab: Lab, script: str, place: Callable[[Lab], int], path: str, observed: object, expected: object
) -> None:
    steps = parse_script(f"## a poke\n{script}", "poke")
    last = len(list(steps.expanded()))

    def after_call(number: int, lab: Lab) -> None:
        if number == last:
            poke(lab, place(lab), one_up)

    record = Record()
    end = run_script(steps, lab, record, {}, after_call=after_call)
    assert end.status == "diverged"
    (verdict,) = record.verdicts
    assert verdict.number == last
    assert [(item.path, item.observed, item.expected) for item in verdict.differences] == [(path, observed, expected)]


def test_a_wrong_rule_is_found_and_its_function_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from ktrace.model.ipc.sem_queue import perform_atomic_semop

    def forgetful(array: Any, queue: Any) -> int:
        """Do the operations, and lose what they added (``ipc/sem.c: perform_atomic_semop()``)."""
        answer = perform_atomic_semop(array, queue)
        array.sems[0].semval = 0
        return answer

    users = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("ktrace.model.") and vars(module).get("perform_atomic_semop") is perform_atomic_semop
    ]
    assert len(users) > 1
    for module in users:
        monkeypatch.setattr(module, "perform_atomic_semop", forgetful)
    record = Record()
    script = parse_script("## wrong\nA: semget(IPC_PRIVATE, 1, 0600) -> s\nA: semop(s, [{0, 1, 0}])\n", "wrong")
    assert run_script(script, lab, record, {}).status == "diverged"
    (verdict,) = record.verdicts
    assert [(item.path, item.observed, item.expected) for item in verdict.differences] == [
        ("sem 0.sems[0].semval", 1, 0)
    ]
    assert any("semop" in rule for rule in verdict.rules)


def test_an_annotation_that_does_not_hold_is_a_divergence(lab: Lab) -> None:
    record = Record()
    script = parse_script('## lie\nA: pipe2([r, w], 0)\nA: write(w, "abc")  # 4\n', "lie")
    assert run_script(script, lab, record, {}).status == "diverged"
    (verdict,) = record.verdicts
    assert verdict.differences == ()
    assert verdict.complaints == ("lie:3: expected 4, got 3",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("A: read(f, 10)", "lost.kt:3:9: 'f' is not bound\n    A: read(f, 10)\n            ^"),
        ("A: getpid()  # f", "lost.kt:3:16: 'f' is not bound\n    A: getpid()  # f\n                   ^"),
        ("B: getpid()", "lost.kt:3:4: no actor 'B' lives"),
        ("A: open(f, O_RDONLY)", "lost.kt:3:9: 'f' is not bound"),
    ],
)
def test_what_is_found_while_running_has_its_place(lab: Lab, line: str, message: str) -> None:
    """What could not be known before: which names are bound, and who lives."""
    before = "B: exit(0)" if line.startswith("B") else 'A: open("/nosuch", O_RDONLY) -> f'
    text = f"## lost\n{before}\n{line}\n"
    with pytest.raises(ScriptError) as caught:
        run_script(parse_script(text, "lost.kt"), lab, Record(), {})
    assert caught.value.message.startswith(message)
    assert caught.value.message.endswith("^")
