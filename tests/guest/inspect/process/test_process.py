"""Processes and what they have open in a live guest, against drgn's own walks."""

from __future__ import annotations

from typing import Any

import drgn
import pytest
from drgn.helpers.linux.fs import for_each_file
from drgn.helpers.linux.pid import find_task as drgn_find_task
from drgn.helpers.linux.pid import for_each_task

from ktrace.errors import GuestGarbage
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.process.process import find_task
from ktrace.state.fs.file import DescriptorTable
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
