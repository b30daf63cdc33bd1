"""The functions of every step, as the guest's own tracefs tells them, and as the paths expect them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from ktrace.agent.syscalls import make_call
from ktrace.errors import HostError
from ktrace.image.image import Image, find_image
from ktrace.inspect.trace.inlined import Inlined
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.state.conditions import conditions
from ktrace.state.trace.functions import FunctionTrace
from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.guests import traced_template
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.path_check import PathChecker
from ktrace.verify.path_parser import parse_paths, read_paths
from ktrace.verify.paths import SUFFIX, said_of
from ktrace.verify.run import run_script
from ktrace.verify.tracing.functions import TRACEFS, FunctionTracer, function_names
from ktrace.verify.tracing.inlined_cache import inlined_functions
from ktrace.workload.library import directory, load
from ktrace.workload.parser import parse_script

Table = dict[str, dict[str, Inlined]]


@pytest.fixture(scope="module")
def traced(template: Template) -> Template:
    return traced_template(template)


@pytest.fixture(scope="module")
def inlined(image: Image) -> Table:
    return {name: dict(items) for name, items in inlined_functions(image.vmlinux, image.build_id).items()}


@pytest.fixture
def traced_lab(traced: Template, image: Image, kernels: KernelCache, tmp_path: Path) -> Iterator[Lab]:
    with Machine.clone(traced, directory=tmp_path / "machine") as machine:
        yield Lab(machine, image.vmlinux, kernels)


def perform(lab: Lab, tracer: FunctionTracer, actor: str | None, *call: object) -> FunctionTrace:
    name, *arguments = call
    return tracer.collect(lab.perform(actor, make_call(str(name), *arguments)))


def test_a_pipe_goes_the_way_that_the_seed_draws(traced_lab: Lab) -> None:
    tracer = FunctionTracer(traced_lab.guest.agent, traced_lab.kernel)
    perform(traced_lab, tracer, None, "spawn", "A")
    functions = perform(traced_lab, tracer, "A", "pipe2", 0).functions("A")
    wanted = [
        "__x64_sys_pipe2",
        "do_pipe2",
        "__do_pipe_flags",
        "create_pipe_files",
        "get_unused_fd_flags",
        "fd_install",
    ]
    assert [name for name in dict.fromkeys(functions) if name in wanted] == wanted
    assert "__x64_sys_futex" not in functions


def of_the_actor(text: str) -> Iterator[str]:
    """Yield the functions that tracefs tells of, but for those of other tasks and of the way out of an interrupt."""
    task, interrupted = "", None
    for line in text.splitlines():
        if switch := re.search(r"=>\s+(\S+)", line):
            task = switch[1]
        called = re.search(r"\|  ((?:  )*)(\S.*)$", line)
        if called is None or not task.startswith("actor"):
            continue
        indent, body = called.groups()
        if interrupted is not None:
            if body.startswith("}") and indent == interrupted:
                interrupted = None
        elif body.startswith(("irq_exit_rcu", "handle_softirqs", "__do_softirq")) and body.endswith("{"):
            interrupted = indent
        elif name := re.match(r"(\w+)(?:\.\w+)*\(\)", body):
            yield name[1]


def test_the_guest_itself_tells_the_same(traced_lab: Lab) -> None:
    """tracefs' own text of the same buffer, which is read without taking anything out of it."""
    agent = traced_lab.guest.agent
    tracer = FunctionTracer(agent, traced_lab.kernel)
    perform(traced_lab, tracer, None, "spawn", "A")
    agent.write_file(TRACEFS + "trace", b"\n", create=True)
    tracer._buffer.skip()
    trace = perform(traced_lab, tracer, "A", "semget", 0, 2, 0o1600)
    text = agent.read_file(TRACEFS + "trace").decode()
    told = list(of_the_actor(text))
    seen = list(trace.functions("A"))
    # Two and more are left out on purpose: the dispatcher, and ways back on which nothing happens.
    assert [name for name in told if name in set(seen)] == [name for name in seen if name in set(told)]
    assert {"ipcget", "newary", "ipc_addid"} <= set(told) & set(seen)
    assert trace.lost == 0


class Meddled:
    """A guest's memory in which something happens after a look at it: what still writes does not wait for readers."""

    def __init__(self, memory: Any, happens: Callable[[], object], looks: int) -> None:
        self._memory, self._happens, self._looks = memory, happens, looks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def read(self, address: int, size: int) -> bytes:
        data: bytes = self._memory.read(address, size)
        self._looks -= 1
        if not self._looks:
            self._happens()
        return data


@pytest.mark.parametrize("looks", [1, 2, 3, 4])
def test_what_is_written_while_the_buffer_is_read_is_not_lost(traced_lab: Lab, looks: int) -> None:
    tracer = FunctionTracer(traced_lab.guest.agent, traced_lab.kernel)
    perform(traced_lab, tracer, None, "spawn", "A")
    buffer = tracer._buffer
    memory = buffer._memory
    meddled: Any = Meddled(memory, lambda: traced_lab.perform("A", make_call("getpid")), looks)
    buffer._memory = meddled
    seen = buffer.read()
    buffer._memory = memory
    traced_lab.perform("A", make_call("getppid"))
    seen += buffer.read()
    assert buffer.lost == 0
    events = list(tracer._events.decode(seen))
    entered = [tracer._name(event.function) for event in events if event.enters]
    for name in ("__do_sys_getpid", "__x64_sys_getpid"), ("__do_sys_getppid", "__x64_sys_getppid"):
        assert set(name) & set(entered), entered
    assert len(seen) == len({(item.time, item.data) for item in seen})  # none twice


def test_what_is_lost_is_counted(traced_lab: Lab) -> None:
    agent = traced_lab.guest.agent
    agent.write_file(TRACEFS + "buffer_size_kb", b"8\n")
    tracer = FunctionTracer(agent, traced_lab.kernel)
    perform(traced_lab, tracer, None, "spawn", "A")
    stats = TRACEFS + "per_cpu/cpu0/stats"

    def written() -> int:
        numbers = dict(re.findall(r"^(entries|overrun): (\d+)", agent.read_file(stats).decode(), re.M))
        return int(numbers["entries"]) + int(numbers["overrun"])

    def switch(state: bytes) -> None:
        # ksoftirqd/0 is traced too, and runs when it likes.
        agent.write_file(TRACEFS + "tracing_on", state)

    switch(b"0\n")
    tracer._buffer.skip()
    before = written()
    switch(b"1\n")
    performed = traced_lab.perform("A", make_call("fork", "B"))
    switch(b"0\n")
    records = tracer._buffer.read()
    assert tracer._buffer.lost > 0
    assert len(records) + tracer._buffer.lost == written() - before
    switch(b"1\n")
    assert performed.outcome.events
    assert perform(traced_lab, tracer, "A", "getpid").lost == 0


def test_where_a_traced_actor_sleeps_is_known(traced_lab: Lab) -> None:
    tracer = FunctionTracer(traced_lab.guest.agent, traced_lab.kernel)
    perform(traced_lab, tracer, None, "spawn", "A")
    perform(traced_lab, tracer, "A", "pipe2", 0)
    trace = perform(traced_lab, tracer, "A", "read", 0, 10)
    assert traced_lab.where({"A"})["A"][:2] == ("pipe_read", "vfs_read")
    unfinished = [span.function for span in trace.spans["A"] if span.duration is None]
    assert unfinished[:4] == ["__x64_sys_read", "ksys_read", "vfs_read", "pipe_read"]


def test_a_path_that_fails_is_a_divergence(traced_lab: Lab, tmp_path: Path) -> None:
    tracer = FunctionTracer(traced_lab.guest.agent, traced_lab.kernel)
    checker = PathChecker(
        parse_paths("pipe2 = 0: create_pipe_files >> alloc_fd", "wrong.paths"),
        "wrong.paths",
        lambda _: {},
        lambda _: True,
    )
    session = tmp_path / "session"
    session.mkdir()
    script = parse_script("A: pipe2([r, w], 0)\nA: close(r)\n", "wrong")
    with SessionWriter(session) as writer:
        end = run_script(script, traced_lab, writer, {}, tracer=tracer, paths=checker)
    assert (end.status, end.steps) == ("diverged", 2)
    (verdict,) = [item for item in SessionReader(session).events() if isinstance(item, Verdict)]
    assert verdict.differences == ()
    assert verdict.complaints[0].startswith("wrong.paths:1: A's pipe2 must go through create_pipe_files >> alloc_fd")


@pytest.mark.parametrize("name", [path.stem for path in sorted(directory().glob("*" + SUFFIX))])
def test_the_kernel_goes_the_ways_that_are_expected(name: str, traced_lab: Lab, inlined: Table, tmp_path: Path) -> None:
    known = function_names(traced_lab.kernel) | {function for table in inlined.values() for function in table}
    expectations = said_of(read_paths(directory() / (name + SUFFIX)), conditions(traced_lab.facts))
    checker = PathChecker(expectations, name, lambda function: inlined.get(function, {}), known.__contains__)
    tracer = FunctionTracer(traced_lab.guest.agent, traced_lab.kernel, inlined)
    session = tmp_path / "session"
    session.mkdir()
    with SessionWriter(session) as writer:
        end = run_script(load(name), traced_lab, writer, {}, tracer=tracer, paths=checker)
    assert [item for item in SessionReader(session).events() if isinstance(item, Verdict)] == []
    assert end.status == "agreed"
    assert checker.checked


def test_what_is_inlined_is_told_with_its_place(inlined: Table) -> None:
    inner = inlined["sock_alloc"]["SOCKET_I"]
    assert re.fullmatch(r"inlined in sock_alloc, net/socket\.c:\d+", str(inner))
    assert inlined["create_pipe_files"]["get_pipe_inode"].declared == "fs/pipe.c"


@pytest.mark.optional(reason="the second flavour of the kernel takes minutes to build")
def test_the_flavour_keeps_the_functions_that_the_seed_names() -> None:
    try:
        flavour = find_image("lab-6.1-functions")
    except HostError as error:
        pytest.skip(f"{error.message}: ktrace image build lab-6.1-functions")
    with flavour.vmlinux.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        names = {symbol.name for symbol in table.iter_symbols() if symbol["st_info"]["type"] == "STT_FUNC"}
    assert {
        "get_pipe_inode", "put_pipe_info", "ipcget_new", "ipcget_public", "ipc_findkey", "semctl_setval",
        "find_alloc_undo",
        "sock_map_fd", "sock_create", "newseg", "newary", "newque",
    } <= names  # fmt: skip
    inlined = inlined_functions(flavour.vmlinux, flavour.build_id)
    assert "sem_obtain_object_check" in inlined["semctl_main"]
