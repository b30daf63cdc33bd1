"""Files come into a guest as they are here, through its memory or, where that cannot be, through the agent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ktrace.agent.own_actor import OwnActor
from ktrace.errors import UsageError
from ktrace.machine.baggage.entries import Baggage
from ktrace.machine.baggage.unpack import WINDOW, unpack
from ktrace.machine.baggage.window import Window
from ktrace.machine.machine import Machine


@pytest.mark.parametrize("mapped", [True, False])
def test_files_of_every_size_arrive(machine: Machine, tmp_path: Path, mapped: bool) -> None:
    sizes = [0, 1, 4095, 4096, 4097, WINDOW - 3, WINDOW, WINDOW + 1, 3]
    for number, size in enumerate(sizes):
        (tmp_path / str(number)).write_bytes(os.urandom(size))
    baggage = Baggage()
    baggage.add_tree(str(tmp_path))
    baggage.add_data("/etc/some", b"thing\n")
    unpack(machine.agent, machine.memory if mapped else None, baggage)
    for number in range(len(sizes)):
        path = str(tmp_path / str(number))
        assert machine.agent.read_file(path) == Path(path).read_bytes()
    assert machine.agent.read_file("/etc/some") == b"thing\n"


def test_pages_that_the_kernel_moves_are_noticed(machine: Machine) -> None:
    data = os.urandom(WINDOW)
    with OwnActor(machine.agent) as actor:
        window = Window(machine.agent, actor, machine.memory, WINDOW)
        first, second, *rest = window._pages
        assert len(window._pages) == WINDOW // 4096
        window._pages = (second, first, *rest)  # as if it had moved them since
        window.put(data)
        memory = machine.agent.read_file(f"/proc/{actor.pid}/mem", window.address, len(data))
    assert memory == data


def test_a_guest_that_has_no_room_is_told_so(machine: Machine, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as large:
        large.truncate(machine.spec.memory_bytes)
    baggage = Baggage()
    baggage.add_tree(str(tmp_path))
    with pytest.raises(UsageError, match=r"MiB of files do not fit into the guest's memory: '.*/large' has no room"):
        unpack(machine.agent, machine.memory, baggage)
