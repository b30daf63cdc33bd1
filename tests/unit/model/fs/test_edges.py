"""Arguments at the edge of what their types hold (``fs/select.c``, ``fs/libfs.c``, ``mm/mmap.c``)."""

from __future__ import annotations

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.state.call import Pointer
from tests.unit.model.bench import Bench
from tests.unit.model.fs.test_path_walk import FACTS

KERNEL = Pointer(0xFFFF888000000000)
"""An address that no program can use."""
LONGEST = (1 << 63) - 1


def test_poll_of_nothing_waits_before_it_looks_where_that_lies() -> None:
    """do_sys_poll(): user_write_access_begin() comes after do_poll()."""
    bench = Bench("A")
    assert bench.call("A", "poll", KERNEL, 1, 0) == "EFAULT"
    assert bench.call("A", "poll", KERNEL, 0, 0) == "EFAULT"
    assert bench.call("A", "poll", KERNEL, 0, -1) == "blocked"


def test_an_offset_of_a_directory_does_not_overflow() -> None:
    """dcache_dir_lseek(): the sum has a sign."""
    bench = Bench("A", tree=FACTS)
    assert bench.call("A", "open", b"/tmp", C["O_DIRECTORY"], 0) == 0
    assert bench.call("A", "lseek", 0, LONGEST, C["SEEK_SET"]) == LONGEST
    assert bench.call("A", "lseek", 0, 1, C["SEEK_CUR"]) == "EINVAL"
    assert bench.call("A", "lseek", 0, 0, C["SEEK_CUR"]) == LONGEST


@pytest.mark.parametrize(("pages", "answer"), [((1 << 51) - 2, "ENODEV"), ((1 << 51) - 1, "EOVERFLOW")])
def test_sockets_are_mapped_as_far_as_files(pages: int, answer: str) -> None:
    """file_mmap_size_max(): a regular file, or a socket, ends at MAX_LFS_FILESIZE."""
    bench = Bench("A")
    assert bench.call("A", "socket", C["AF_UNIX"], C["SOCK_STREAM"], 0) == 0
    assert bench.call("A", "mmap", 0, 4096, C["PROT_READ"], C["MAP_SHARED"], 0, pages << 12) == answer
