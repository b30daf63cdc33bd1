"""System V objects in a live guest against drgn's walks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import drgn
import pytest
from drgn.helpers.linux.ipc import for_each_sysv_msg_queue, for_each_sysv_sem_array, for_each_sysv_shm

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.verify.lab import Lab
from tests.guest.poke import write

WALKS: dict[str, Callable[[drgn.Program], Any]] = {
    "sem": for_each_sysv_sem_array,
    "msg": for_each_sysv_msg_queue,
    "shm": for_each_sysv_shm,
}


@pytest.mark.parametrize("kind", WALKS)
def test_objects_are_those_of_drgn(populated: Lab, kind: str) -> None:
    ours = [address for address, ref in SysvReader(populated.kernel).init_objects().items() if ref.kind == kind]
    expected = [int(found) for found in WALKS[kind](populated.kernel.prog)]
    assert ours == expected
    assert len(expected) >= 2


def test_an_idr_that_cannot_be_walked_is_refused(populated: Lab) -> None:
    head = populated.kernel.prog["init_ipc_ns"].ids[0].ipcs_idr.idr_rt.xa_head
    write(populated, head, 0xFFFF888000000002 | 1 << 45)
    with pytest.raises(CorruptStructure, match="points at nothing mapped"):
        SysvReader(populated.kernel).init_objects()
