"""House rules of the C in ``guest/``, each proved on a bad sample; and that it builds to the same bytes."""

from __future__ import annotations

import re
import shutil
import subprocess
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from ktrace.agent.build import CFLAGS, build, inputs, sources
from ktrace.agent.client import Agent
from ktrace.agent.ops import Call, Exec, Spawn
from ktrace.agent.reports import Completed
from ktrace.errors import HostError

GUEST = Path(__file__).parents[3] / "guest"

RULES = {
    "no libc": re.compile(r"#\s*include\s*<(?!linux/|asm/|stddef\.h|stdint\.h)"),
    "no allocation": re.compile(r"\b(malloc|calloc|realloc|free|alloca|sbrk)\s*\(|__NR_brk\b"),
    "no System V object, no pair": re.compile(r"__NR_(pipe|semget|msgget|shmget|shmat|mq_open|socketpair)\b"),
    "no threads, no thread-local storage": re.compile(r"\b(__thread|_Thread_local|pthread_\w+|CLONE_SETTLS)\b"),
    "tabs indent": re.compile(r"^(?! \*) +\S"),
    "lines of at most 110 columns": re.compile(r"^.{111,}"),
    "no blank at the end": re.compile(r"[ \t]$"),
}
BAD = {
    "no libc": "#include <stdio.h>",
    "no allocation": "\tp = malloc(3);",
    "no System V object, no pair": "\tsys1(__NR_pipe, fds);",
    "no threads, no thread-local storage": "static __thread int errno_;",
    "tabs indent": "    return 0;",
    "lines of at most 110 columns": "/* " + "x" * 110,
    "no blank at the end": "int x; ",
}


def offences(text: str, rule: str) -> list[str]:
    wide = (line.expandtabs(8) if "columns" in rule else line for line in text.splitlines())
    return [line for line in wide if RULES[rule].search(line)]


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_kept(rule: str) -> None:
    found = {path.name: lines for path in inputs(GUEST) if (lines := offences(path.read_text(), rule))}
    assert found == {}


@pytest.mark.parametrize("rule", RULES)
def test_rules_catch_a_bad_sample(rule: str) -> None:
    assert offences(f"int good;\n{BAD[rule]}\n", rule) == [BAD[rule].expandtabs(8) if "columns" in rule else BAD[rule]]


def test_sockets_only_for_loopback_in_init() -> None:
    assert sorted(path.name for path in inputs(GUEST) if "__NR_socket" in path.read_text()) == [
        "init.c",
        "init_route.c",
    ]


def test_pipes_only_for_a_command_outside_the_actors() -> None:
    assert [path.name for path in inputs(GUEST) if "__NR_pipe" in path.read_text()] == ["agent_stream.c"]


COMPILERS = ("memcpy", "memmove", "memset", "memcmp")


def uses(files: list[Path], place: Path) -> dict[str, set[str]]:
    """Return which of the C files each uses functions or variables of, from the symbols of their objects."""
    owner: dict[str, str] = {}
    wanted: dict[str, set[str]] = {}
    for path in files:
        out = place / f"{path.stem}.o"
        flags = [flag for flag in CFLAGS if flag not in ("-s", "-static")]
        subprocess.run(["gcc", *flags, "-c", "-o", out, path], check=True)
        listing = subprocess.run(["nm", out], check=True, capture_output=True, text=True).stdout
        kinds = [line.split()[-2:] for line in listing.splitlines()]  # [address] kind name
        owner |= {name: path.name for kind, name in kinds if kind in "TDBRC"}
        wanted[path.name] = {name for kind, name in kinds if kind == "U"}
    for name in COMPILERS:  # start.h: they stand in the main file only because the compiler may call them
        owner.pop(name, None)
    return {file: {owner[name] for name in names if name in owner} - {file} for file, names in wanted.items()}


def test_source_files_use_each_other_in_one_direction(tmp_path: Path) -> None:
    found = uses(sources(GUEST, "agent"), tmp_path)
    order = list(TopologicalSorter(found).static_order())
    assert order[-1] == "agent.c"
    assert found["agent_slots.c"] == {"agent_actor.c"}


def test_a_circle_of_source_files_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "agent_a.c").write_text("int b(void); int a(void) { return b(); }\n")
    (tmp_path / "agent_b.c").write_text("int a(void); int b(void) { return a(); }\n")
    with pytest.raises(CycleError):
        list(TopologicalSorter(uses(sources(tmp_path, "agent"), tmp_path)).static_order())


@pytest.mark.parametrize("program", ["agent", "init"])
def test_same_bytes_from_another_directory(program: str, tmp_path: Path) -> None:
    copy = tmp_path / "somewhere else"
    copy.mkdir()
    for path in inputs(GUEST):
        shutil.copy(path, copy)
    first = build(GUEST, program, tmp_path / "first").read_bytes()
    assert build(copy, program, tmp_path / "second").read_bytes() == first
    assert len(first) < 64 << 10
    assert str(tmp_path).encode() not in first


def test_hosted_build_works_too(tmp_path: Path) -> None:
    flags = ("-std=gnu11", "-O1", "-static", "-Wall", "-Wextra", "-Werror")
    build(GUEST, "init", tmp_path / "init", flags=flags)
    with Agent.local(build(GUEST, "agent", tmp_path / "agent", flags=flags)) as agent:
        reports = agent.batch([Spawn(0), Exec(0), Call(0, 3, (0,))])
    assert [report.events[0] for report in reports[1:]] == [Completed(0, 0), Completed(0, -9)]


def test_compiler_trouble_is_the_hosts(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no compiler"):
        build(GUEST, "init", tmp_path / "init", cc="no-such-compiler")
    (tmp_path / "init.c").write_text("int main(void) { return nonsense; }\n")
    with pytest.raises(HostError, match="cannot compile init"):
        build(tmp_path, "init", tmp_path / "init")
