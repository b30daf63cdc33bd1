"""Scripts that call by the names of the manual pages."""

from __future__ import annotations

from ktrace.agent.syscalls import make_call
from ktrace.workload.environment import Environment
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Step


def test_names_of_the_c_library_take_arguments_as_there() -> None:
    script = parse_script('spawn A\nA: pread(0, 3, 1)\nA: fstatat(AT_FDCWD, "/", _, 0)\nA: sigprocmask(SIG_BLOCK, 1)\n')
    steps = [step for step in script.steps if isinstance(step, Step) and step.actor == "A"]
    calls = [Environment().resolve(step) for step in steps]
    assert [call.name for call in calls] == ["pread64", "newfstatat", "rt_sigprocmask"]
    assert calls[2] == make_call("rt_sigprocmask", 0, 1)
