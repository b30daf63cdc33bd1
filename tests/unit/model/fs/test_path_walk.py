"""From a path to an inode, each as ``fs/namei.c`` has it; and what is not simulated."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.model.fs.opaque import OpaqueInode
from ktrace.model.fs.path_walk import path_lookupat
from ktrace.model.fs.proc import name_to_int
from ktrace.model.observed import Evidence
from ktrace.state.call import Result
from ktrace.state.fs.inode import MountFacts, NodeFacts, TreeFacts
from ktrace.uapi.stat import S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG
from tests.unit.model.bench import Bench

RELATIME = 0x20
TIMES = (1, 2, 3)


def node(mode: int, **members: Any) -> NodeFacts:
    """Return what the guest says of an inode of root's."""
    values = {"i_uid": 0, "i_gid": 0, "i_nlink": 2 if mode & S_IFDIR == mode & 0o170000 else 1, "i_size": 0}
    return NodeFacts(mode, i_fop="simple_dir_operations", times=TIMES, **{**values, **members})


def directory(mode: int = 0o755, **entries: NodeFacts) -> NodeFacts:
    """Return a directory with *entries*."""
    return node(S_IFDIR | mode, entries=entries)


ROOT = directory(
    dev=directory(
        null=node(S_IFCHR | 0o666, i_rdev=1 << 20 | 3),
        tty=node(S_IFCHR | 0o666, i_rdev=5 << 20),
        fd=node(S_IFLNK | 0o777, link=b"/proc/self/fd", i_size=13),
    ),
    tmp=directory(),
    run=directory(),
    proc=directory(),
    private=directory(0o700),
    init=node(S_IFREG | 0o755, i_size=100),
)
FACTS = TreeFacts(
    mounts=(
        MountFacts("/", "rootfs", "shmem_ops", 0, ROOT, True),
        MountFacts("/tmp", "tmpfs", "shmem_ops", RELATIME, directory(0o1777), True),
        MountFacts("/run", "tmpfs", "shmem_ops", RELATIME, directory(), True),
        MountFacts("/proc", "proc", "proc_sops", RELATIME, directory(0o555), False),
        MountFacts("/proc/x", "binfmt_misc", "s_ops", RELATIME, directory(0o555), False),
    )
)


@pytest.fixture
def bench() -> Bench:
    """A, who is root, and U, who is nobody, in a tree."""
    return Bench("AU", tree=FACTS)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (b"/", 0), (b"//", 0), (b"/..", 0), (b"/tmp/..", 0), (b"/tmp/../dev/null", 0), (b".", 0), (b"dev", 0),
        (b"", "ENOENT"), (b"/none", "ENOENT"), (b"/none/..", "ENOENT"), (b"/init/..", "ENOTDIR"),
        (b"/init/", "ENOTDIR"), (b"/dev/null/", "ENOTDIR"),
        (b"/" + b"n" * 256, "ENAMETOOLONG"), (b"n/" * 2048, "ENAMETOOLONG"),
    ],
)  # fmt: skip
def test_names(bench: Bench, path: bytes, answer: object) -> None:
    assert bench.call("A", "access", path, 0) == answer


def test_a_directory_must_be_searchable(bench: Bench) -> None:
    for path in (b"/private/x", b"/private/..", b"/private/."):
        assert bench.call("U", "access", path, 0) == "EACCES"
    assert bench.call("U", "access", b"/private", 0) == 0


def test_links_are_followed_forty_times(bench: Bench) -> None:
    assert bench.call("A", "creat", b"/tmp/0", 0o600) == 0
    for number in range(41):
        assert bench.call("A", "symlink", b"%d" % number, b"/tmp/%d" % (number + 1)) == 0
    assert bench.call("A", "access", b"/tmp/40", 0) == 0
    assert bench.call("A", "access", b"/tmp/41", 0) == "ELOOP"


def test_a_descriptor_below_proc_is_what_it_opens(bench: Bench) -> None:
    assert bench.call("A", "mkdir", b"/tmp/d", 0o700) == 0
    assert bench.call("A", "open", b"/tmp/d", C["O_PATH"], 0) == 0
    assert bench.call("A", "mkfifo", b"/dev/fd/0/f", 0o600) == 0
    assert bench.call("A", "access", b"/tmp/d/f", 0) == 0
    assert bench.call("A", "access", b"/proc/self/fd/1", 0) == "ENOENT"


@pytest.mark.parametrize(
    ("name", "answer"),
    [("0", 0), ("9", 9), ("", None), ("00", None), ("07", None), ("+1", None), ("\u0663", None), ("7", 7),
     ("4294967279", 4294967279), ("4294967280", None), ("4294967295", None), ("10000000000", None)],
)  # fmt: skip
def test_a_number_of_procfs_has_no_leading_zero(name: str, answer: int | None) -> None:
    assert name_to_int(name) == answer


def test_a_file_without_a_name_keeps_its_flags(bench: Bench) -> None:
    assert bench.call("A", "open", b"/tmp", C["O_TMPFILE"] | C["O_RDONLY"], 0o600) == "EINVAL"
    assert bench.call("A", "open", b"/tmp", C["O_TMPFILE"] | C["O_ACCMODE"], 0o600) == 0
    assert bench.call("A", "open", b"/tmp", C["O_TMPFILE"] | C["O_RDWR"] | C["O_EXCL"], 0o600) == 1
    assert bench.call("A", "fcntl", 1, C["F_GETFL"], 0) == C["O_TMPFILE"] | C["O_RDWR"] | C["O_LARGEFILE"]


def test_what_is_mounted_stays(bench: Bench) -> None:
    assert bench.call("A", "rmdir", b"/tmp") == "EBUSY"
    assert bench.call("A", "rename", b"/tmp", b"/other") == "EBUSY"
    assert bench.call("A", "mkdir", b"/tmp/d", 0o700) == 0
    assert bench.call("A", "rename", b"/tmp/d", b"/run/d") == "EXDEV"


def test_nothing_is_made_in_a_directory_that_is_gone(bench: Bench) -> None:
    assert bench.call("A", "mkdir", b"/tmp/d", 0o700) == 0
    assert bench.call("A", "chdir", b"/tmp/d") == 0
    assert bench.call("A", "rmdir", b"../d") == 0
    for call in (("mkfifo", b"f", 0o600), ("open", b"f", C["O_CREAT"], 0o600), ("getcwd", 100), ("unlink", b"f")):
        assert bench.call("A", *call) == "ENOENT"
    assert bench.call("A", "access", b"..", 0) == 0


def test_what_is_not_simulated_answers_as_it_was_seen_to(bench: Bench) -> None:
    seen = Evidence({"A": Result(0)}, clock=(1, 2))
    assert bench.call("A", "open", b"/proc/self/maps", 0, 0, evidence=seen) == 0
    assert bench.kernel.tasks["A"].files.slots.keys() == {0}
    seen = Evidence({"A": Result(5, None, {"buf": b"maps!"})}, clock=(1, 2))
    assert bench.call("A", "read", 0, 10, evidence=seen) == 5
    seen = Evidence({"A": Result(-1, "ENOENT")}, clock=(1, 2))
    assert bench.call("A", "open", b"/proc/none", 0, 0, evidence=seen) == "ENOENT"
    assert bench.kernel.tasks["A"].files.slots.keys() == {0} and not bench.kernel.tasks["A"].files.reserved


def test_who_is_not_seen_to_return_sleeps_until_it_does(bench: Bench) -> None:
    bench.call("A", "open", b"/dev/tty", 0, 0, evidence=Evidence({"A": Result(0)}, clock=(1, 2)))
    assert bench.call("A", "read", 0, 10) == "blocked"
    bench.call(
        "U", "umask", 0, evidence=Evidence({"U": Result(0o22), "A": Result(0, None, {"buf": b""})}, clock=(1, 2))
    )
    assert bench.results["A"] == Result(0, None, {"buf": b""})


def test_what_would_change_something_unknown_is_refused(bench: Bench) -> None:
    with pytest.raises(NotImplementedError, match="procfs"):
        bench.call("A", "mkdir", b"/proc/new", 0o700, evidence=Evidence({"A": Result(0)}, clock=(1, 2)))
    seen = Evidence({"A": Result(-1, "EPERM")}, clock=(1, 2))
    assert bench.call("A", "mkdir", b"/proc/new", 0o700, evidence=seen) == "EPERM"


def test_null_takes_what_nobody_looks_at(bench: Bench) -> None:
    assert bench.call("A", "open", b"/dev/null", C["O_RDWR"], 0) == 0
    assert bench.call("A", "write", 0, b"gone") == 4 and bench.call("A", "read", 0, 10) == 0
    assert bench.call("A", "pipe2", 0) == 0
    assert bench.call("A", "write", 2, b"thrown away") == 11
    assert bench.call("A", "splice", 1, None, 0, None, 100, 0) == 11
    assert bench.pipe("A", 1).empty()


@pytest.mark.parametrize("path", ["/proc/1/root/tmp", "/proc/1/cwd", "/proc/7/task/7/ns/ipc", "/proc/self/task/9/fd/0"])
def test_links_of_tasks_that_are_not_simulated_are_not_followed(bench: Bench, path: str) -> None:
    with pytest.raises(NotImplementedError, match="leads"):
        path_lookupat(bench.kernel.tasks["A"], path.encode())
    link = path_lookupat(bench.kernel.tasks["A"], b"/proc/1/cwd", follow=False, opaque=True)
    assert isinstance(link, OpaqueInode)
