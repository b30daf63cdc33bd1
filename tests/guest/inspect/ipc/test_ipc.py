"""System V IPC in a live guest, against a second reader of the same kernel, and against itself."""

from __future__ import annotations

from typing import Any

import drgn
import pytest
from drgn.helpers.linux.idr import idr_find

from ktrace.agent.syscalls import CONSTANTS, make_call
from ktrace.inspect.invariants.ipc.subsystem import validate_ipc
from ktrace.state.call import Completed
from ktrace.state.world import World
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.library import load
from ktrace.workload.parser import parse_script
from tests.guest.poke import write
from tests.sinks import Record

BUSY = """
A: semget(0x51, 3, IPC_CREAT|0640) -> s
A: semget(IPC_PRIVATE, 1, 0600)
A: semop(s, [{0, 5, SEM_UNDO}, {2, 1, 0}])
A: fork() -> B
A: fork() -> C
B: semop(s, [{1, -1, SEM_UNDO}])
C: semop(s, [{0, 0, 0}, {1, -2, 0}])
A: msgget(0x52, IPC_CREAT|0600) -> q
A: msgsnd(q, {3, "three"})
A: msgsnd(q, {1, "x" * 6000})
A: fork() -> D
D: msgrcv(q, 100, 9)
A: shmget(0x53, 10000, IPC_CREAT|0600) -> m
A: shmat(m, 0x20000000)
A: store(0x20001000, "hello")
A: fork() -> E
A: shmget(IPC_PRIVATE, 4096, 0600) -> n
A: shmat(n, 0x30000000)
A: shmctl(n, IPC_RMID)
"""


@pytest.fixture
def busy(lab: Lab) -> Lab:
    """A guest with objects of every kind, sleepers, undo structures and attachments."""
    sink = Record()
    assert run_script(parse_script(BUSY), lab, sink, {}).status == "agreed", sink.verdicts
    return lab


def rows(lab: Lab, name: str) -> list[dict[str, int]]:
    """Return a table of /proc/sysvipc, by the words of its header."""
    header, *lines = lab.guest.agent.read_file(f"/proc/sysvipc/{name}").decode().splitlines()
    words = header.split()
    return [
        {
            word: int(value, 8) if word == "perms" else int(value)
            for word, value in zip(words, line.split(), strict=True)
        }
        for line in lines
    ]


def of_kind(world: World, kind: str) -> list[Any]:
    """Return the objects of one kind in the order of their ids."""
    found = world.of_kind(kind)
    return [found[ref] for ref in sorted(found, key=lambda ref: int(ref.key))]


def perms(perm: Any) -> dict[str, int]:
    """Return what every table of /proc/sysvipc shows of the permissions."""
    return {
        "key": perm.key,
        "perms": perm.mode,
        "uid": perm.uid,
        "gid": perm.gid,
        "cuid": perm.cuid,
        "cgid": perm.cgid,
    }


def test_arrays_are_those_of_proc(busy: Lab) -> None:
    world = busy.look()
    expected = [
        {
            **perms(array.sem_perm),
            "semid": array.sem_perm.id,
            "nsems": array.sem_nsems,
            "otime": max(sem.sem_otime for sem in array.sems),
            "ctime": array.sem_ctime,
        }
        for array in of_kind(world, "sem")
    ]
    assert rows(busy, "sem") == expected
    assert len(expected) == 2


def test_queues_are_those_of_proc(busy: Lab) -> None:
    world = busy.look()
    pids: dict[Any, int] = {None: 0, **busy.actors.pids}
    (queue,) = of_kind(world, "msg")
    assert rows(busy, "msg") == [
        {
            **perms(queue.q_perm),
            "msqid": queue.q_perm.id,
            "cbytes": queue.q_cbytes,
            "qnum": queue.q_qnum,
            "lspid": pids[queue.q_lspid],
            "lrpid": pids[queue.q_lrpid],
            "stime": queue.q_stime,
            "rtime": queue.q_rtime,
            "ctime": queue.q_ctime,
        }
    ]
    assert [len(message.text) for message in queue.q_messages] == [5, 6000]


def test_segments_are_those_of_proc(busy: Lab) -> None:
    world = busy.look()
    pids: dict[Any, int] = {None: 0, **busy.actors.pids}
    expected = [
        {
            **perms(segment.shm_perm),
            "shmid": segment.shm_perm.id,
            "size": segment.shm_segsz,
            "cpid": pids[segment.shm_cprid],
            "lpid": pids[segment.shm_lprid],
            "nattch": segment.shm_nattch,
            "atime": segment.shm_atim,
            "dtime": segment.shm_dtim,
            "ctime": segment.shm_ctim,
            "rss": 4096 * len(segment.shm_file.pages),
            "swap": 0,
        }
        for segment in of_kind(world, "shm")
    ]
    assert rows(busy, "shm") == expected
    assert [row["nattch"] for row in expected] == [2, 1]


def test_mappings_are_those_of_proc(busy: Lab) -> None:
    world = busy.look()
    for actor in "AE":
        maps = busy.guest.agent.read_file(f"/proc/{busy.actors.pids[actor]}/maps").decode().splitlines()
        seen = []
        for line in maps:
            span, rights, offset, _, inode, *name = line.split()
            if name and name[0].startswith("/SYSV"):
                start, end = (int(part, 16) for part in span.split("-"))
                seen.append((start, end - start, int(offset, 16) // 4096, rights[:3], inode))
        process = world.objects[next(ref for ref in world.objects if ref == ("process", actor))]
        assert seen == [
            (item.start, item.size, item.pgoff, item.protection, item.segment.key) for item in process.mappings
        ]


def command(lab: Lab, name: str, *args: Any) -> tuple[int, dict[str, Any]]:
    """Return what a control call of A's answers, with its struct."""
    call = make_call(name, *[CONSTANTS[item] if isinstance(item, str) else item for item in args])
    (event,) = lab.perform("A", call).outcome.events
    assert isinstance(event, Completed)
    assert event.result.errno is None
    return event.result.value, dict(event.result.out["buf"])


STAT = {
    "sem": {
        "sem_otime": lambda item: max(sem.sem_otime for sem in item.sems),
        "sem_ctime": "sem_ctime",
        "sem_nsems": "sem_nsems",
    },
    "msg": {
        **{f"msg_{name}": f"q_{name}" for name in ("stime", "rtime", "ctime", "cbytes", "qnum", "qbytes")},
        "msg_lspid": lambda item: item.q_lspid or 0,
        "msg_lrpid": lambda item: item.q_lrpid or 0,
    },
    "shm": {
        "shm_segsz": "shm_segsz", "shm_atime": "shm_atim", "shm_dtime": "shm_dtim", "shm_ctime": "shm_ctim",
        "shm_cpid": lambda item: item.shm_cprid or 0, "shm_lpid": lambda item: item.shm_lprid or 0,
        "shm_nattch": "shm_nattch",
    },
}  # fmt: skip
PERM = {"sem": "sem_perm", "msg": "q_perm", "shm": "shm_perm"}


@pytest.mark.parametrize("kind", ["sem", "msg", "shm"])
def test_objects_are_those_of_the_control_calls(busy: Lab, kind: str) -> None:
    """Compare every member that IPC_STAT, *_STAT and *_STAT_ANY report with what is in memory."""
    semnum = (0,) if kind == "sem" else ()
    world = busy.look()
    for item in of_kind(world, kind):
        perm = getattr(item, PERM[kind])
        expected: dict[str, Any] = {
            name: source(item) if callable(source) else getattr(item, str(source))
            for name, source in STAT[kind].items()
        }
        names = ("key", "uid", "gid", "cuid", "cgid", "mode", "seq")
        expected[f"{kind}_perm"] = {name: getattr(perm, name) for name in names}
        index = perm.id & 0x7FFF
        assert command(busy, f"{kind}ctl", perm.id, *semnum, "IPC_STAT") == (0, expected)
        assert command(busy, f"{kind}ctl", index, *semnum, f"{kind.upper()}_STAT") == (perm.id, expected)
        assert command(busy, f"{kind}ctl", index, *semnum, f"{kind.upper()}_STAT_ANY") == (perm.id, expected)


def test_namespaces_are_those_of_the_control_calls(busy: Lab) -> None:
    """Compare limits and totals with what the *_INFO calls say."""
    world = busy.look()
    (ns,) = world.of_kind("ipc_ns").values()
    semmsl, semmns, semopm, semmni = ns.sem_ctls
    top, info = command(busy, "semctl", 0, 0, "IPC_INFO")
    limits = {"semmsl": semmsl, "semmns": semmns, "semopm": semopm, "semmni": semmni}
    assert (top, info) == (ns.sem_ids.max_idx, info | limits)
    assert command(busy, "semctl", 0, 0, "SEM_INFO")[1] == info | {"semusz": ns.sem_ids.in_use, "semaem": ns.used_sems}
    top, info = command(busy, "msgctl", 0, "IPC_INFO")
    limits = {"msgmax": ns.msg_ctlmax, "msgmnb": ns.msg_ctlmnb, "msgmni": ns.msg_ctlmni}
    assert (top, info) == (ns.msg_ids.max_idx, info | limits)
    totals = {"msgpool": ns.msg_ids.in_use, "msgmap": ns.percpu_msg_hdrs, "msgtql": ns.percpu_msg_bytes}
    assert command(busy, "msgctl", 0, "MSG_INFO")[1] == info | totals
    top, info = command(busy, "shmctl", 0, "IPC_INFO")
    limits = {"shmmax": ns.shm_ctlmax, "shmall": ns.shm_ctlall, "shmmni": ns.shm_ctlmni, "shmseg": ns.shm_ctlmni}
    assert (top, info) == (ns.shm_ids.max_idx, {**limits, "shmmin": 1})
    pages = sum(segment.shm_file.nrpages for segment in of_kind(world, "shm"))
    totals = {"used_ids": ns.shm_ids.in_use, "shm_tot": ns.shm_tot, "shm_rss": pages}
    top, info = command(busy, "shmctl", 0, "SHM_INFO")
    assert info == {**totals, "shm_swp": 0, "swap_attempts": 0, "swap_successes": 0}


def test_nothing_contradicts_itself(busy: Lab) -> None:
    assert validate_ipc(busy.kernel) == []


@pytest.mark.parametrize("name", ["sem-order", "sem-undo-shared", "msg-blocking", "shm-mremap", "ipc-setns"])
def test_nothing_ever_contradicts_itself(lab: Lab, name: str) -> None:
    found = []

    def validate(number: int, lab: Lab) -> None:
        found.extend((number, str(violation)) for violation in validate_ipc(lab.kernel))

    assert run_script(load(name), lab, Record(), {}, after_call=validate).status == "agreed"
    assert found == []


def find(lab: Lab, ids: int, type_name: str, member: str) -> drgn.Object:
    """Return the first object of a kind by drgn's own helpers."""
    idr = lab.kernel.prog["init_ipc_ns"].ids[ids].ipcs_idr
    return drgn.container_of(drgn.cast("struct kern_ipc_perm *", idr_find(idr.address_of_(), 0)), type_name, member)


def array(lab: Lab) -> drgn.Object:
    return find(lab, 0, "struct sem_array", "sem_perm")


def queue(lab: Lab) -> drgn.Object:
    return find(lab, 1, "struct msg_queue", "q_perm")


def segment(lab: Lab) -> drgn.Object:
    return find(lab, 2, "struct shmid_kernel", "shm_perm")


def undo_list(lab: Lab) -> drgn.Object:
    return drgn.Object(lab.kernel.prog, "struct task_struct *", value=lab.inspector.tasks["A"]).sysvsem.undo_list


@pytest.mark.parametrize(
    ("member", "value", "where"),
    [
        (lambda lab: lab.kernel.prog["init_ipc_ns"].ids[0].in_use, 5, "ipc_ns init.sem_ids.in_use"),
        (lambda lab: lab.kernel.prog["init_ipc_ns"].ids[1].max_idx, 5, "ipc_ns init.msg_ids.max_idx"),
        (lambda lab: lab.kernel.prog["init_ipc_ns"].used_sems, 1, "ipc_ns init.used_sems"),
        (lambda lab: lab.kernel.prog["init_ipc_ns"].shm_tot, 1, "ipc_ns init.shm_tot"),
        (lambda lab: array(lab).sem_perm.seq, 3, "sem 0.seq"),
        (lambda lab: array(lab).sem_perm.deleted, 1, "sem 0.deleted"),
        (lambda lab: array(lab).sem_perm.refcount.refs.counter, 0, "sem 0.refcount"),
        (lambda lab: array(lab).complex_count, 0, "sem 0.complex_count"),
        (lambda lab: array(lab).sems[1].semval, 7, "sem 0, sleeper B"),
        (lambda lab: array(lab).sems[1].semval, -7, "sem 0.sems[1].semval"),
        (lambda lab: array(lab).list_id.next, 0, "pointer"),
        (lambda lab: undo_list(lab).refcnt.refs.counter, 2, "undo list.refcnt"),
        (lambda lab: queue(lab).q_cbytes, 1, "msg 0.q_cbytes"),
        (lambda lab: queue(lab).q_qnum, 1, "msg 0.q_qnum"),
        (lambda lab: queue(lab).q_perm.key, 0, "ipc_ns init.msg_ids.key_ht"),
        (lambda lab: queue(lab).q_messages.next, 0x1234, "pointer"),
        (lambda lab: segment(lab).shm_nattch, 9, "shm 0.shm_nattch"),
        (lambda lab: segment(lab).shm_segsz, 10001, "shm 0.shm_segsz"),
        (lambda lab: segment(lab).shm_perm.id, 5, "shm 5.id"),
        (lambda lab: queue(lab).q_perm.lock.rlock.raw_lock.val.counter, 1, "msg 0.lock"),
        (lambda lab: array(lab).sems[2].lock.rlock.raw_lock.val.counter, 1, "sem 0.sems[2].lock"),
        (lambda lab: undo_list(lab).lock.rlock.raw_lock.val.counter, 1, "undo list.lock"),
        (lambda lab: lab.kernel.prog["init_ipc_ns"].ns.count.refs.counter, 2, "ipc_ns init.ns.count"),
    ],
)
def test_a_wrong_value_contradicts_something(busy: Lab, member: Any, value: int, where: str) -> None:
    write(busy, member(busy), value)
    names = {pid: name for name, pid in busy.actors.pids.items()}
    found = [violation.where for violation in validate_ipc(busy.kernel)]
    for pid, name in names.items():
        found = [place.replace(f"pid {pid}", name) for place in found]
    assert where in found


def test_garbage_is_survived(busy: Lab) -> None:
    """Every word of every structure in turn becomes garbage: no walk runs away, nothing else is raised."""
    memory: Any = busy.guest.memory
    offset = busy.kernel.memory.page_offset
    for structure in (array(busy), queue(busy), segment(busy), undo_list(busy)):
        start = structure.value_() - offset
        for word in range(0, min(structure.type_.type.size, 256), 8):
            kept = memory.read(start + word, 8)
            for garbage in (b"\xff" * 8, b"\0" * 8, (structure.value_() + word).to_bytes(8, "little")):
                memory.write(start + word, garbage)
                validate_ipc(busy.kernel)
            memory.write(start + word, kept)
    assert validate_ipc(busy.kernel) == []


def test_the_sequence_number_rolls_over(lab: Lab) -> None:
    """ipc_idr_alloc(): after ipcid_seq_max() comes 0; 65,535 rounds of 64 ids would take too long to get there."""
    write(lab, lab.kernel.prog["init_ipc_ns"].ids[1].seq, 65533)
    late = Lab(lab.guest, lab.vmlinux)
    seen: list[int] = []

    def note(number: int, lab: Lab) -> None:
        ids = lab.look().of_kind("ipc_ns")
        seen.extend(ns.msg_ids.seq for ns in ids.values())

    script = (
        "A: msgget(IPC_PRIVATE, 0600)\nrepeat 192 {\nA: msgget(IPC_PRIVATE, 0600) -> q\nA: msgctl(q, IPC_RMID)\n}\n"
    )
    sink = Record()
    assert run_script(parse_script(script), late, sink, {}, after_call=note).status == "agreed", sink.verdicts
    assert sorted(set(seen)) == [0, 1, 65533, 65534]
