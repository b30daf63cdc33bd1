"""Processes and what they have open in a live guest, against drgn's own walks."""

from __future__ import annotations

from typing import Any

import drgn
import pytest
from drgn.helpers.linux.fs import for_each_file
from drgn.helpers.linux.pid import find_task as drgn_find_task
from drgn.helpers.linux.pid import for_each_task

from ktrace.agent.syscalls import make_call
from ktrace.errors import GuestGarbage
from ktrace.include.linux.pid import PIDTYPE_SID
from ktrace.include.linux.sched_signal import SIGNAL_STOP_STOPPED
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.process.process import find_task
from ktrace.state.fs.file import DescriptorTable
from ktrace.state.ref import Ref
from ktrace.uapi.sched import CLONE_NEWIPC
from ktrace.verify.lab import Lab
from tests.guest.poke import write


def test_an_actors_task_is_the_one_that_the_pid_finds_and_one_of_all(populated: Lab) -> None:
    prog = populated.kernel.prog
    everybody = {int(task.pid): int(task) for task in for_each_task(prog)}
    for pid, name in populated.inspector.names_by_pid.items():
        found = find_task(populated.kernel, pid)
        assert found == int(drgn_find_task(prog, pid)) == everybody[pid] == populated.inspector.tasks[name]
    with pytest.raises(GuestGarbage, match="knows no process 32000"):
        find_task(populated.kernel, 32000)


def tables(lab: Lab) -> dict[str, dict[int, int]]:
    """Return the address of the file behind every descriptor of every actor, by our readers."""
    objects: Any = lab.inspector.observe().objects
    found: dict[str, dict[int, int]] = {}
    for ref, value in objects.items():
        if ref.kind == "process":
            table = objects[value.files]
            assert isinstance(table, DescriptorTable)
            found[value.name] = {fd: int(entry.file.key) for fd, entry in table.fds.items() if entry.file}
    return found


def test_descriptors_are_those_of_for_each_file(populated: Lab) -> None:
    found = tables(populated)
    for name, address in populated.inspector.tasks.items():
        task = drgn.Object(populated.kernel.prog, "struct task_struct *", value=address)
        assert found[name] == {fd: int(file) for fd, file in for_each_file(task)}
    assert set(found) == {"A", "B", "C", "D", "E", "F"}
    assert len(found["A"]) >= 4


def test_a_broken_table_is_refused(populated: Lab) -> None:
    task = drgn.Object(populated.kernel.prog, "struct task_struct *", value=populated.inspector.tasks["A"])
    table = task.files.fdt
    size = int(table.max_fds)
    write(populated, table.max_fds, 1 << 21)
    with pytest.raises(CorruptStructure, match=r"fdtable\.max_fds at 0x\w+: 2097152 descriptors"):
        populated.inspector.observe()
    write(populated, table.max_fds, size)
    write(populated, table.fd, 0x30)
    with pytest.raises(CorruptStructure, match="0x30: is not a kernel address"):
        populated.inspector.observe()


def test_each_member_of_an_idle_process_is_read_anew_when_it_changes(lab: Lab) -> None:
    """What is remembered of a process holds for as long as the bytes that it depends on."""
    for name in ("A", "B"):
        lab.perform(None, make_call("spawn", name, {}))
    lab.perform("A", make_call("setsid"))
    task = drgn.Object(lab.kernel.prog, "struct task_struct *", value=lab.inspector.tasks["A"])
    session = task.signal.pids[PIDTYPE_SID]
    places = {
        "pid": task.pid,
        "uid": task.cred.uid.val,
        "gid": task.cred.gid.val,
        "euid": task.cred.euid.val,
        "egid": task.cred.egid.val,
        "stopped": task.signal.flags,
        "session": session.numbers[0].nr,
    }
    a = Ref("process", "A")
    before = lab.inspector.observe().objects
    assert lab.inspector.observe().objects[a] is before[a], "nothing has changed: it is the same object"
    for member, place in places.items():
        was = int(place)
        write(lab, place, SIGNAL_STOP_STOPPED if member == "stopped" else was + 1)
        after = lab.inspector.observe().objects
        assert getattr(after[a], member) != getattr(before[a], member), member
        assert after[Ref("process", "B")] == before[Ref("process", "B")]
        write(lab, place, was)
        assert lab.inspector.observe().objects[a] == before[a]
    lab.perform("A", make_call("unshare", CLONE_NEWIPC))
    assert lab.inspector.observe().objects[a].ipc_ns != before[a].ipc_ns


def test_a_segment_that_appears_is_seen_in_processes_that_were_remembered(lab: Lab) -> None:
    lab.perform(None, make_call("spawn", "A", {}))
    a = Ref("process", "A")
    assert lab.inspector.observe().objects[a].shm_clist == ()
    lab.perform("A", make_call("shmget", 0, 4096, 0o600))
    assert len(lab.inspector.observe().objects[a].shm_clist) == 1
    lab.perform("A", make_call("shmat", 0, 0, 0))
    assert len(lab.inspector.observe().objects[a].mappings) == 1
