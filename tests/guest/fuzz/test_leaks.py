"""The look at what dead processes left sees each kind of object by its name, on every kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.errors import HostError, UsageError
from ktrace.fuzz.gathered import gathered
from ktrace.fuzz.leaks import Kept, leaked, take
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.fuzz.trial import run_trial
from ktrace.image.image import find_image
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from ktrace.state.call import Result
from ktrace.uapi.sched import CLONE_NEWIPC
from ktrace.uapi.socket import AF_INET, AF_UNIX, SCM_RIGHTS, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET
from ktrace.verify.lab import KernelCache, Lab

OTHERS = pytest.mark.optional(reason="kernels other than lab-6.1 take long to build: make test-kernels")


@pytest.fixture(params=["lab-6.1", pytest.param("lab-6.12", marks=OTHERS), pytest.param("lab-7.3", marks=OTHERS)])
def any_lab(request: pytest.FixtureRequest, tmp_path: Path, kernels: KernelCache) -> Iterator[Lab]:
    """A fresh guest of each kernel."""
    try:
        image = find_image(str(request.param))
    except (HostError, UsageError) as error:
        pytest.skip(error.message)
    with Machine.clone(ensure_template(image), directory=tmp_path / "machine") as machine:
        yield Lab(machine, image.vmlinux, kernels)


def test_what_lives_is_seen_and_what_died_is_not(any_lab: Lab) -> None:
    def do(actor: str | None, name: str, *args: object) -> None:
        any_lab.perform(actor, make_call(name, *args))

    before = take(any_lab.kernel)
    do(None, "spawn", "A", {})
    for family, kind in ((AF_UNIX, SOCK_DGRAM), (AF_UNIX, SOCK_STREAM), (AF_INET, SOCK_DGRAM), (AF_INET, SOCK_STREAM)):
        do("A", "socket", family, kind, 0)
    do("A", "epoll_create1", 0)
    left = leaked(before, take(any_lab.kernel), Kept())
    assert left["UDP"] == left["TCP"] == 1
    assert left["UNIX"] + left.get("UNIX-STREAM", 0) == 2
    assert left["sock_inode_cache"] == left["unix_nr_socks"] + 2 == 4
    assert left["filp"] == 5
    do(None, "kill", "A", 9)
    do(None, "wait", 100)
    assert leaked(before, take(any_lab.kernel), Kept()) == {}


def test_a_segment_that_stays_is_told_from_one_that_leaked(any_lab: Lab) -> None:
    before = take(any_lab.kernel)
    any_lab.perform(None, make_call("spawn", "A", {"uid": 1000}))
    any_lab.perform("A", make_call("shmget", 0, 4096, 0o600))
    any_lab.perform(None, make_call("kill", "A", 9))
    any_lab.perform(None, make_call("wait", 100))
    after = take(any_lab.kernel)
    assert leaked(before, after, Kept(segments=1, objects=1)) == {}
    assert leaked(before, after, Kept()) == {"shmem_inode_cache": 1, "filp": 1, "uid_cache": 1}


def test_what_kfree_rcu_gathers_is_not_called_left(any_lab: Lab) -> None:
    """retire_ipc_sysctls(): drop_sysctl_table() of each namespace frees its header up to five seconds late."""
    before = take(any_lab.kernel)
    any_lab.perform(None, make_call("spawn", "A", {}))
    for _ in range(40):
        any_lab.perform("A", make_call("unshare", CLONE_NEWIPC))
    any_lab.perform(None, make_call("kill", "A", 9))
    any_lab.perform(None, make_call("wait", 300))
    after, waiting = take(any_lab.kernel), gathered(any_lab.kernel)
    headers = {name for name in leaked(before, after, Kept()) if name.startswith("kmalloc-")}
    if not any_lab.kernel.has_symbol("__kfree_rcu_sheaf"):  # which later kernels try first: a sheaf is known already
        assert headers and all(waiting[name] >= 25 for name in headers)
    assert leaked(before, after, Kept(), waiting) == {}
    any_lab.perform(None, make_call("wait", 8000))
    assert leaked(before, take(any_lab.kernel), Kept()) == {}
    assert not any(gathered(any_lab.kernel)[name] > 5 for name in headers)


class Script:
    """Gives these actions, one after the other."""

    def __init__(self, actions: list[Action]) -> None:
        self.left = list(actions)

    def next(self, state: ModelView) -> Action | None:
        return self.left.pop(0) if self.left else None

    def saw(self, actor: str, result: Result) -> None:
        pass


def test_what_refers_to_itself_is_collected_before_it_is_called_left(any_lab: Lab) -> None:
    """The last to have it dies, and closes no socket of AF_UNIX for good, which would have it collected."""
    rights = {"cmsg_level": SOL_SOCKET, "cmsg_type": SCM_RIGHTS, "cmsg_data": (1, 0)}
    actions: list[Action] = [
        (None, make_call("spawn", "A", {})),
        ("A", make_call("socketpair", AF_UNIX, SOCK_DGRAM, 0)),
        ("A", make_call("fork", "B", 0)),
        ("A", make_call("sendmsg", 1, {"msg_iov": (b"x",), "msg_control": (rights,)}, 0)),
    ]
    assert isinstance(any_lab.guest, Machine)
    trial = run_trial(any_lab, any_lab.guest, Script(actions), len(actions))
    assert (trial.finding, len(trial.actions)) == (None, 4)
