"""Commands that are refused before anybody asks what the file is (``fs/fcntl.c``, ``mm/memfd.c``, ``fs/locks.c``)."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.state.changes import Changes
from tests.unit.model.bench import Bench
from tests.unit.model.fs.test_path_walk import FACTS

HIGH = 1 << 32
"""A bit that an ``unsigned int`` does not have."""


@pytest.mark.parametrize(
    ("unsigned_int", "seals", "answer"),
    [(False, HIGH, "EINVAL"), (False, HIGH | 2, "EINVAL"), (True, HIGH | 2, 0), (True, HIGH | 0x40, "EINVAL")],
)
def test_seals_are_as_wide_as_memfd_fcntl_takes_them(unsigned_int: bool, seals: int, answer: object) -> None:
    bench = Bench("A", changes=Changes(pipe_size_unsigned_int=unsigned_int))
    fd = bench.call("A", "memfd_create", b"m", C["MFD_ALLOW_SEALING"])
    assert bench.call("A", "fcntl", fd, C["F_ADD_SEALS"], seals) == answer
    assert bench.call("A", "fcntl", fd, C["F_GET_SEALS"], 0) == (2 if answer == 0 else 0)


@pytest.mark.parametrize(("unsigned_int", "answer"), [(False, "EINVAL"), (True, "EPERM")])
def test_whether_a_file_can_be_written_is_asked_next(unsigned_int: bool, answer: str) -> None:
    bench = Bench("A", tree=FACTS, changes=Changes(pipe_size_unsigned_int=unsigned_int))
    assert bench.call("A", "open", b"/tmp", C["O_DIRECTORY"], 0) == 0
    assert bench.call("A", "fcntl", 0, C["F_ADD_SEALS"], -1) == answer
    assert bench.call("A", "fcntl", 0, C["F_ADD_SEALS"], 1) == "EPERM"


def test_a_lease_that_is_none_is_refused_before_the_owner_is_asked() -> None:
    """lease_alloc() comes before vfs_setlease()."""
    bench = Bench("AU", tree=FACTS)
    assert bench.call("U", "open", b"/tmp", C["O_DIRECTORY"], 0) == 0
    assert bench.call("U", "fcntl", 0, C["F_SETLEASE"], 77) == "EINVAL"
    assert bench.call("U", "fcntl", 0, C["F_SETLEASE"], C["F_UNLCK"]) == "EACCES"


def test_what_is_not_known_is_called_by_its_name() -> None:
    bench = Bench("A")
    fd = bench.call("A", "memfd_create", b"m", 0)
    bench.kernel.ipc.init_ipc_ns.sem_ids.next_id = -1
    assert bench.call("A", "fcntl", fd, C["F_GETOWNER_UIDS"], 0) == "EFAULT"
    page = bench.call("A", "mmap", 0, 4096, C["PROT_READ"], C["MAP_PRIVATE"] | C["MAP_ANONYMOUS"], -1, 0)
    with pytest.raises(NotImplementedError, match="F_GETOWNER_UIDS"):
        bench.call("A", "fcntl", fd, C["F_GETOWNER_UIDS"], page)
