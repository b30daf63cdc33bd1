"""The look at what dead processes left sees each kind of object by its name, on every kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.errors import HostError, UsageError
from ktrace.fuzz.leaks import Kept, leaked, take
from ktrace.image.image import find_image
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from ktrace.uapi.socket import AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM
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
