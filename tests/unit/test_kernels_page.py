"""docs/kernels.md is what the model's changes, the workloads and the recordings say."""

from __future__ import annotations

from pathlib import Path

from ktrace.state.changes import changes
from ktrace.workload.library import bundled
from ktrace.workload.parser import parse_script
from tests.kernels_page import KERNELS, each_step, kernels_page, read_recorded, steps_that_show

PAGE = Path(__file__).parents[2] / "docs" / "kernels.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == kernels_page(read_recorded()), "run scripts/kernels-page"


def test_the_kernels_differ_as_they_were_read() -> None:
    recorded = read_recorded()
    assert list(recorded) == list(KERNELS)
    has = {kernel: sum(getattr(recorded[kernel], name) for name, _ in changes()) for kernel in KERNELS}
    assert has["lab-6.1"] == 0 < has["lab-6.12"] < has["lab-7.3"] == len(list(changes()))


def test_what_users_see_is_shown_by_a_workload() -> None:
    for name, change in changes():
        shown = steps_that_show(name)
        assert shown or change.shown in bundled() or name == "splice_failed_keeps_pos", name


def test_a_step_is_found_by_its_condition() -> None:
    assert steps_that_show("vms_gather_munmap_vmas") == ["shm-mremap: `A: shmat(n, 0x7ffff7ff8000, SHM_REMAP)`"]
    assert steps_that_show("pipe") == []


def test_steps_are_found_wherever_they_are_written() -> None:
    script = parse_script(
        "## t\nA: getpid()\nrepeat 2 {\n when pipe_prealloc {\n A: getuid() # 0\n }\n}\nA: getgid()\n"
    )
    assert [step.name for step in each_step(script.steps)] == ["getpid", "getuid", "getgid"]
