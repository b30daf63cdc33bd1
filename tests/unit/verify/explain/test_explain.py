"""What explains the differences of two kernels: the model is asked, and says so where nothing does."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ktrace.cli.diff import diff
from ktrace.inspect.names_of_kernel import KernelNames
from ktrace.state.changes import Changes
from ktrace.state.fs.pipe.pipe import PipeFacts
from ktrace.state.step import Step
from ktrace.trace.difference import Differing, compare_sessions, differences
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.explain.attribution import Explained, explain
from ktrace.verify.explain.facts import facts_that_differ, facts_with, whole
from ktrace.verify.explain.kernels import lacked_members, why_functions
from ktrace.verify.explain.sessions import telling

RECORDED = Path(__file__).parents[4] / "traces" / "recorded"


def sessions(workload: str, image: str) -> tuple[Path, Path]:
    """Return the recordings of a workload on lab-6.1 and on another image."""
    return RECORDED / f"{workload}.jsonl.gz", RECORDED / image / f"{workload}.jsonl.gz"


def explained(workload: str, image: str, spoil: Callable[[Step], Step] = lambda step: step) -> list[Explained]:
    """Explain what differs, after *spoil* had every step of the second session."""
    here, there = map(SessionReader, sessions(workload, image))
    one, other = list(here.steps()), [spoil(step) for step in there.steps()]
    return explain(here.header.facts, there.header.facts, other, differences(one, other))


def names(items: list[Explained], what: str) -> set[tuple[tuple[str, ...], ...]]:
    """Return the causes of the differences whose name ends so."""
    return {
        tuple(tuple(fact.name for fact in cause) for cause in item.causes)
        for item in items
        if item.item.what.endswith(what)
    }


def test_facts_are_exchanged_one_by_one() -> None:
    one: dict[str, Any] = {"pipe": PipeFacts(), "process": 3}
    other = {
        "pipe": PipeFacts(kept_pages=8, pipe_max_size=7),
        "process": 4,
        "changes": Changes(pipe_prealloc=True, tcp_peek_off=None),
    }
    found = {fact.name: fact for fact in facts_that_differ(one, other)}
    assert set(found) == {
        "pipe_prealloc",
        "tcp_peek_off",
        "process",
        "pipe.pipe_max_size",
    }
    assert (found["tcp_peek_off"].one, found["tcp_peek_off"].other) == ("no", "cannot be told")
    mixed = facts_with(one, other, [found["pipe_prealloc"]])
    assert mixed["pipe"] == PipeFacts(kept_pages=8)
    assert mixed["changes"] == Changes(pipe_prealloc=True) and mixed["process"] == 3
    assert facts_with(one, other, found.values()) == whole(other)
    assert facts_with(one, other, ()) == whole(one)


@pytest.mark.parametrize("image", ["lab-6.12", "lab-7.3"])
def test_all_facts_of_two_kernels_are_those_of_the_other(image: str) -> None:
    one, other = (SessionReader(path).header.facts for path in sessions("unix-stream", image))
    facts = facts_that_differ(one, other)
    assert facts_with(one, other, facts) == whole(other)
    assert any(fact.change is not None for fact in facts)


def test_a_known_change_explains_a_result() -> None:
    items = explained("shm-mremap", "lab-6.12")
    result = [item for item in items if item.item.kind == "result" and "IPC_STAT" not in item.item.what]
    assert [(item.item.one, item.item.other) for item in result] == [("-1 ENOMEM", "-1 EINVAL")]
    assert names(items, "SHM_REMAP)") == {(("vms_gather_munmap_vmas",),)}
    assert names(items, "shm_nattch") == {(("vma_longer_with_close",),)}
    assert all(item.known for item in items)


def test_one_of_two_suffices_and_two_are_needed() -> None:
    """Streams of AF_UNIX on 7.3: marked by either of two changes; SO_PASSRIGHTS stands behind that mark."""
    items = explained("unix-stream", "lab-7.3")
    assert names(items, "socket1.flags[0]") == {(("unix_custom_sockopt",), ("unix_stream_custom_sockopt",))}
    (both,) = names(items, "socket1.flags[1]")
    assert [set(cause) for cause in both] == [{"scm_flags_in_sock", "unix_stream_custom_sockopt"}] or [
        set(cause) for cause in both
    ] == [{"scm_flags_in_sock", "unix_custom_sockopt"}]
    assert all(item.known for item in items)


def test_what_nothing_explains_is_said() -> None:
    """A value that no model has: neither with the facts of the one kernel nor of the other."""

    def spoil(step: Step) -> Step:
        if step.number != 20:
            return step
        ref, value = next((ref, value) for ref, value in step.world.objects.items() if ref.kind == "process")
        return replace(step, world=step.world.apply({ref: replace(value, euid=4711)}, ()))

    items = explained("shm-mremap", "lab-6.12", spoil)
    assert [(item.item.step, item.item.what) for item in items if not item.known] == [(20, "process A.euid")]


def test_functions_are_explained_by_what_a_kernel_has_and_by_what_cites_them() -> None:
    facts = facts_that_differ({}, {"changes": Changes(pipeanon_fops=True, splice_to_socket=True)})
    old, new = KernelNames(frozenset(), frozenset({"vfs_read", "pipe_read"})), KernelNames(frozenset(), frozenset())
    item = Differing(3, "functions", "A: vfs_read > fifo_pipe_read", "not called", "called")
    cited, note = why_functions(item, facts, (old, None))
    assert [fact.name for fact in cited] == ["pipeanon_fops"]
    assert note == "the first kernel has no function fifo_pipe_read() of its own"
    other = Differing(3, "functions", "A: vfs_read > pipe_read", "called", "not called")
    assert why_functions(other, facts, (old, old)) == ((), "")
    assert why_functions(other, facts, (old, new))[1] == "the second kernel has no function pipe_read() of its own"


def test_functions_are_told_once_and_not_below_what_one_kernel_alone_calls() -> None:
    items = [
        Differing(1, "structure", "pipe1.head", "0", "1"),
        Differing(1, "functions", "A: vfs_write > new_write", "not called", "called"),
        Differing(1, "functions", "A: new_write > copy", "not called", "called"),
        Differing(2, "functions", "B: vfs_write > new_write", "not called", "called"),
        Differing(2, "functions", "B: vfs_write > copy", "called", "not called"),
        Differing(2, "functions", "old_entry", "called", "not called"),
    ]
    one, other = {"vfs_write", "copy", "old_entry"}, {"vfs_write", "new_write", "copy"}
    assert list(telling(items, one, other)) == [items[0], items[1], items[4], items[5]]


def test_members_that_one_kernel_lacks_are_named_with_their_reason() -> None:
    one = KernelNames(frozenset({"struct pipe_inode_info.poll_usage", "struct file.f_version"}), frozenset())
    other = KernelNames(frozenset({"struct pipe_inode_info.pseudo_edgetrigger", "struct file.f_version"}), frozenset())
    found = {(item.structure, item.member, item.first) for item in lacked_members(one, other)}
    assert found == {
        ("struct pipe_inode_info", "poll_usage", True),
        ("struct pipe_inode_info", "pseudo_edgetrigger", False),
    }
    assert all("7.3" in item.why for item in lacked_members(one, other))


def test_the_command_says_what_explains_it(tmp_path: Path) -> None:
    one, other = map(str, sessions("shm-mremap", "lab-6.12"))
    answer = CliRunner().invoke(diff, [one, other], standalone_mode=False)
    assert answer.return_value == 1
    assert "-1 EINVAL\n            because of vms_gather_munmap_vmas" in answer.output
    assert (
        "vms_gather_munmap_vmas (mm/vma.c: vms_gather_munmap_vmas(), since 6.12: c7c0c3c30f4e): explains 1"
        in answer.output
    )
    told = re.search(r"^(\d+) differences, none of them unexplained\n\Z", answer.output, re.M)
    assert told is not None
    count = int(told[1])
    answer = CliRunner().invoke(diff, [one, other, "--json"], standalone_mode=False)
    *items, end = map(json.loads, answer.output.splitlines())
    assert [item["explained"] for item in items] == [True] * count
    assert (end["differences"], end["unexplained"]) == (count, 0)
    assert {fact["name"] for fact in end["facts"]} == {"vms_gather_munmap_vmas", "vma_longer_with_close", "tree.i_fop"}
    answer = CliRunner().invoke(diff, [one, other, "--no-explain"], standalone_mode=False)
    assert answer.return_value == 1 and "because" not in answer.output


def test_sessions_of_one_kernel_are_only_compared(tmp_path: Path) -> None:
    one = RECORDED / "sem-basic.jsonl.gz"
    copy = tmp_path / "session.jsonl"
    copy.write_bytes(gzip.decompress(one.read_bytes()))
    answer = CliRunner().invoke(diff, [str(one), str(copy)], standalone_mode=False)
    assert (answer.return_value, answer.output) == (0, "no difference\n")


def test_the_differences_are_those_of_two_sessions() -> None:
    one, other = sessions("shm-mremap", "lab-6.12")
    items = list(compare_sessions(SessionReader(one), SessionReader(other)))
    assert [item.item for item in explained("shm-mremap", "lab-6.12")] == items
