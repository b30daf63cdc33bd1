"""A kernel whose structures are not what the readers expect: one error that names structure and member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import drgn
import pytest

from ktrace.errors import UsageError
from ktrace.image.image import Image
from ktrace.inspect.build import build_inspector, read_facts
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import MissingMember, allow_unread
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record

SCRIPT = """
A: pipe2([r, w], 0)
A: write(w, "data")
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> n
"""

Change = Callable[[drgn.Program, drgn.TypeMember], list[drgn.TypeMember]]


def gone(prog: drgn.Program, member: drgn.TypeMember) -> list[drgn.TypeMember]:
    """Leave a member out."""
    return []


def two(prog: drgn.Program, member: drgn.TypeMember) -> list[drgn.TypeMember]:
    """Make an array of a member."""
    return [drgn.TypeMember(prog.array_type(member.type, 2), member.name, member.bit_offset)]


def wide(prog: drgn.Program, member: drgn.TypeMember) -> list[drgn.TypeMember]:
    """Make a plain long of a member."""
    return [drgn.TypeMember(prog.type("unsigned long"), member.name, member.bit_offset)]


def attach(lab: Lab, image: Image, structure: str, name: str, change: Change) -> LiveKernel:
    """Open the lab's kernel as if a member of a structure of it were another one."""
    kernel = LiveKernel.attach(lab.guest.memory, image.vmlinux, lab.vmcoreinfo)
    prog = kernel.prog
    found: Any = prog.type(f"struct {structure}")
    members: list[drgn.TypeMember] = []
    for member in found.members:
        members += change(prog, member) if member.name == name else [member]
    other = prog.struct_type(structure, found.size, members)

    def find(_prog: drgn.Program, kinds: Any, asked: str, _file: str | None) -> Any:
        return other if asked == structure and drgn.TypeKind.STRUCT in kinds else None

    prog.register_type_finder("strange", find, enable_index=0)
    return kernel


@pytest.mark.parametrize(
    ("structure", "member", "change", "message"),
    [
        ("file", "f_count", gone, "struct file has no member 'f_count.counter'"),
        ("file_system_type", "next", gone, "struct file_system_type has no member 'next'"),
        ("inode", "i_mtime", gone, "struct inode has no member 'i_mtime.tv_sec'"),
        ("sem_undo", "semadj", gone, "struct sem_undo has no member 'semadj'"),
        ("dentry", "d_subdirs", gone, "struct dentry has no member 'd_subdirs'"),
    ],
)
def test_a_member_that_all_depends_on_is_named(
    lab: Lab, image: Image, structure: str, member: str, change: Change, message: str
) -> None:
    kernel = attach(lab, image, structure, member, change)
    with pytest.raises(MissingMember) as caught:
        build_inspector(kernel)
    assert caught.value.message == f"{message} in this vmlinux"
    assert caught.value.structure == f"struct {structure}"
    assert caught.value.member.split(".")[0] == member


@pytest.mark.parametrize(
    ("structure", "member", "change"),
    [
        ("pipe_inode_info", "tmp_page", gone),
        ("pipe_inode_info", "nr_accounted", two),
        ("sock", "sk_wmem_alloc", wide),
        ("netlink_sock", "groups", two),
    ],
)
def test_a_member_that_little_depends_on_is_unread(
    lab: Lab, image: Image, structure: str, member: str, change: Change
) -> None:
    """What else there is is read all the same, and is what it was."""
    run_script(parse_script(SCRIPT), lab, Record(), {})
    kernel = attach(lab, image, structure, member, change)
    inspector = build_inspector(kernel)
    inspector.tasks, inspector.names_by_pid = lab.inspector.tasks, lab.inspector.names_by_pid
    (name,) = allow_unread(kernel.prog)
    assert name.startswith(f"struct {structure}.{member}")
    seen, whole = inspector.observe().objects, lab.inspector.observe().objects
    # Where the reader of pipes cannot be made at all, their inodes are not come by.
    assert set(seen) <= set(whole) and {ref.kind for ref in set(whole) - set(seen)} <= {"inode"}
    unread = {ref.kind for ref in seen if seen[ref] != whole[ref]}
    assert unread <= {"pipe", "sock"} and len(unread) == 1


def test_facts_name_it_too(lab: Lab, image: Image) -> None:
    with pytest.raises(MissingMember, match=r"^struct inode has no member 'i_ctime\.tv_sec' in this vmlinux(?:\n|$)"):
        read_facts(attach(lab, image, "inode", "i_ctime", gone))


def test_a_member_that_may_be_missing_is_not_missed(lab: Lab, image: Image) -> None:
    kernel = attach(lab, image, "pipe_inode_info", "note_loss", gone)
    inspector = build_inspector(kernel)
    inspector.tasks, inspector.names_by_pid = lab.inspector.tasks, lab.inspector.names_by_pid
    assert inspector.observe() == lab.inspector.observe()


def test_a_variable_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(UsageError, match=r"^this kernel has no variable 'no_such_thing'(?:\n|$)"):
        lab.kernel.variable("no_such_thing")


@pytest.mark.parametrize(
    "name", ["net_families", "sock_mnt", "inetsw", "inetsw6", "inet_protos", "nl_table", "init_net"]
)
def test_a_table_that_has_another_name_is_missed(lab: Lab, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says of a kernel that has TCP that it has no protocols."""
    kernel = lab.kernel
    variable, find = LiveKernel.variable, LiveKernel._find
    monkeypatch.setattr(LiveKernel, "_find", lambda self, asked: None if asked == name else find(self, asked))
    monkeypatch.setattr(
        LiveKernel, "variable", lambda self, asked: variable(self, "no_such_thing" if asked == name else asked)
    )
    with pytest.raises(UsageError, match=r"^this kernel has no variable 'no_such_thing'(?:\n|$)"):
        read_facts(kernel)
