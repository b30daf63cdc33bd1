"""fsync() asks the file: whether there is a medium is its own matter (``fs/sync.c``)."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from tests.unit.model.bench import Bench
from tests.unit.model.fs.test_path_walk import FACTS


@pytest.fixture
def bench() -> Bench:
    """An actor that has nothing open."""
    return Bench("A", tree=FACTS)


@pytest.mark.parametrize("name", ["fsync", "fdatasync"])
def test_files_in_memory_have_nothing_to_write(bench: Bench, name: str) -> None:
    """noop_fsync(): shmem_file_operations, simple_dir_operations."""
    assert bench.call("A", "memfd_create", b"m", 0) == 0
    assert bench.call("A", "open", b"/tmp", C["O_DIRECTORY"], 0) == 1
    assert [bench.call("A", name, fd) for fd in (0, 1)] == [0, 0]


@pytest.mark.parametrize("name", ["fsync", "fdatasync"])
def test_what_has_no_medium_is_refused(bench: Bench, name: str) -> None:
    """vfs_fsync_range(): -EINVAL without f_op->fsync; do_fsync(): fdget() takes no O_PATH."""
    bench.step("A", "pipe2", 0)
    assert bench.call("A", "eventfd2", 0, 0) == 2
    assert bench.call("A", "open", b"/dev/null", 0, 0) == 3
    assert bench.call("A", "open", b"/tmp", C["O_PATH"], 0) == 4
    assert [bench.call("A", name, fd) for fd in (0, 1, 2, 3)] == ["EINVAL"] * 4
    assert [bench.call("A", name, fd) for fd in (4, 9)] == ["EBADF"] * 2
