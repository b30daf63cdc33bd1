"""Numbers as /proc/sys takes them (``kernel/sysctl.c``), and structs at addresses of the script's own."""

from __future__ import annotations

import pytest

from ktrace.model.ipc.namespace import Namespace
from ktrace.model.ipc.sysctl import LIMITS, read_limit, write_limit
from ktrace.model.ipc.uapi import MSQID64_DS, SEMID64_DS, SEMINFO, SHM_INFO, SHMID64_DS, SHMINFO64, UserStruct
from ktrace.model.task import Errno
from tests.unit.model.bench import Bench
from tests.unit.model.facts import IPC


def written(name: str, text: bytes) -> tuple[int | str, list[int]]:
    """Return what a write answers, and the values after it."""
    bench = Bench("ABCD")
    ns = Namespace(1, IPC, fresh=True)
    ns.shm_ctlmax = 7
    answer: int | str
    try:
        answer = write_limit(bench.kernel, ns, LIMITS[name], text)
    except Errno as error:
        answer = error.name
    return answer, LIMITS[name].values(ns)


@pytest.mark.parametrize(
    ("text", "answer", "values"),
    [
        (b"1 2 3 4", 7, [1, 2, 3, 4]),
        (b" 0x10\t010\n", 10, [16, 8, 500, 32000]),
        (b"1 2 3 4 5 6", 8, [1, 2, 3, 4]),
        (b"-5", 2, [-5, 1024000000, 500, 32000]),
        (b"1 x", "EINVAL", [1, 1024000000, 500, 32000]),
        (b"1 2 3 40000", "ERANGE", [1, 2, 3, 32000]),
        (b"1,2", "EINVAL", [32000, 1024000000, 500, 32000]),
        (b"2147483648", "EINVAL", [32000, 1024000000, 500, 32000]),
        (b"-", "EINVAL", [32000, 1024000000, 500, 32000]),
        (b"  ", "EINVAL", [32000, 1024000000, 500, 32000]),
        (b"", 0, [32000, 1024000000, 500, 32000]),
        (b"0x", "EINVAL", [32000, 1024000000, 500, 32000]),
    ],
)
def test_numbers_are_taken_one_after_the_other(text: bytes, answer: int | str, values: list[int]) -> None:
    """__do_proc_dointvec(), proc_get_long(), proc_ipc_sem_dointvec()."""
    assert written("sem", text) == (answer, values)


@pytest.mark.parametrize(
    ("text", "answer", "value"),
    [
        (b"18446744073709551615\n", 21, (1 << 64) - 1),
        (b"18446744073709551616", "EINVAL", 7),
        (b"000000000000000000001", "EINVAL", 7),
        (b"-1", "EINVAL", 7),
        (b"0xffffffffffffffff", 18, (1 << 64) - 1),
    ],
)
def test_unsigned_longs_are_never_negative(text: bytes, answer: int | str, value: int) -> None:
    """__do_proc_doulongvec_minmax()."""
    assert written("shmmax", text) == (answer, [value])


def test_reading_shows_all_values() -> None:
    bench = Bench("ABCD")
    ns = Namespace(1, IPC, fresh=True)
    assert read_limit(bench.kernel, ns, LIMITS["sem"]) == b"32000\t1024000000\t500\t32000\n"
    assert read_limit(bench.kernel, ns, LIMITS["auto_msgmni"]) == b"0\n"


@pytest.mark.parametrize(
    ("layout", "size"),
    [(SEMID64_DS, 104), (MSQID64_DS, 120), (SHMID64_DS, 112), (SEMINFO, 40), (SHMINFO64, 72), (SHM_INFO, 48)],
)
def test_structs_have_the_sizes_of_the_abi(layout: UserStruct, size: int) -> None:
    """include/uapi/asm-generic/ipcbuf.h and arch/x86/include/uapi/asm/sembuf.h."""
    assert layout.size == size
    assert layout.unpack(layout.pack(layout.unpack(bytes(range(size))))) == layout.unpack(bytes(range(size)))
