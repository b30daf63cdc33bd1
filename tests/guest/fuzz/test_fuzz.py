"""``ktrace fuzz`` on live guests: nothing found on a sound kernel, the same run again, a wrong rule found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import drgn
import pytest

from ktrace.agent.syscalls import make_call
from ktrace.cli.main import main
from ktrace.errors import GuestGarbage, HostError, UsageError
from ktrace.fuzz import trial
from ktrace.fuzz.campaign import Campaign, Plan, Report
from ktrace.fuzz.judgement import Judgement
from ktrace.fuzz.pool import Pool
from ktrace.fuzz.sound import SoundKernel
from ktrace.fuzz.trial import Observer, Source, Trial
from ktrace.image.image import Image, find_image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.model.build import build_model
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe_ops import PipeFileOperations
from ktrace.model.kernel import Kernel
from ktrace.model.task import Task
from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker
from ktrace.verify.guests import prepare_guests
from ktrace.verify.lab import Lab
from ktrace.verify.options import GuestOptions
from tests.guest.poke import write

LAUNCHER = Path(__file__).parents[3] / "scripts" / "ktrace"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the sessions of these tests out of the user's own, and the image where it is."""
    import ktrace.trace.session

    monkeypatch.setattr(ktrace.trace.session, "sessions_directory", lambda: tmp_path / "sessions")


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["fuzz", *arguments])
    code = ended.value.code
    assert isinstance(code, int)
    return code, capsys.readouterr().out


@pytest.mark.parametrize("family", ["pipe", "sem", "msg", "shm", "unix", "inet"])
def test_a_sound_kernel_does_what_the_model_says(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run("--family", family, "--steps", "150", "--seed", "1", "--json", capsys=capsys)
    report = json.loads(out)
    assert (code, report["divergences"]) == (0, [])
    assert report["steps"] == sum(report["calls"].values()) == 150
    assert report["errnos"]


@pytest.mark.optional(reason="kernels other than lab-6.1 take long to build: make test-kernels")
@pytest.mark.parametrize("name", ["lab-6.12", "lab-7.3"])
def test_a_later_sound_kernel_does_too(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        find_image(name)
    except (HostError, UsageError) as error:
        pytest.skip(error.message)
    code, out = run("--image", name, "--jobs", "1", "--steps", "400", "--seed", "1", "--json", capsys=capsys)
    report = json.loads(out)
    assert (code, report["divergences"], report["steps"]) == (0, [], 400)


def test_the_same_seed_gives_the_same_run(template: Template, image: Image, tmp_path: Path) -> None:
    def sequence(name: str) -> Report:
        with Pool(template, tmp_path / name) as pool:
            return Campaign(Plan(("pipe", "msg", "inet"), 7, 4, 160, None), image, pool, lambda report: None).run()

    one, other = sequence("one"), sequence("other")
    assert (one.steps, one.calls, one.errnos) == (other.steps, other.calls, other.errnos)
    assert one.digest == other.digest


def test_several_processes_make_the_same_run(template: Template) -> None:
    """They are spawned by the command as it is installed: its file is run again in each of them."""
    reports = []
    for jobs in ("1", "2"):
        arguments = ("--family", "msg,shm", "--steps", "250", "--seed", "4", "--jobs", jobs, "--json")
        command = [sys.executable, "-S", str(LAUNCHER), "fuzz", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        report = json.loads(done.stdout)
        assert report["steps"] == 250
        reports.append(
            {key: value for key, value in report.items() if not key.startswith("seconds") and "per" not in key}
        )
    assert reports[0] == reports[1]


def test_time_bounds_a_run(template: Template, image: Image, tmp_path: Path) -> None:
    with Pool(template, tmp_path) as pool:
        report = Campaign(Plan(("sem",), 1, 4, None, 4.0), image, pool, lambda report: None).run()
    assert report.seconds < 20
    assert report.steps


def test_a_wrong_rule_is_found_made_short_and_replayed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_rule(monkeypatch, lambda: True)
    code, out = run("--family", "pipe", "--steps", "400", "--json", capsys=capsys)
    assert code == 1
    (found,) = json.loads(out)["divergences"]
    assert "pipe.r_counter" in found["kinds"]
    assert found["shortened_to"] <= 10
    assert found["replay"] == "diverged"
    script = Path(found["script"])
    assert script.is_file() and (script.parent / "session.jsonl").is_file()
    monkeypatch.undo()
    with pytest.raises(SystemExit) as ended:
        main(["run", str(script), "-q"])
    assert ended.value.code == 0


def break_rule(monkeypatch: pytest.MonkeyPatch, applies: Callable[[], bool]) -> None:
    """Have the model count a reader too many at the end of a pipe's file, as long as *applies* says so."""
    sound = PipeFileOperations.release

    def wrong(self: PipeFileOperations, task: Task, file: File) -> Any:
        file.private.r_counter += applies()
        return sound(self, task, file)

    monkeypatch.setattr(PipeFileOperations, "release", wrong)


def test_what_does_not_come_again_is_unsteady_and_its_session_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uses = count()
    break_rule(monkeypatch, lambda: next(uses) == 0)
    code, out = run("--family", "pipe", "--steps", "200", "--json", capsys=capsys)
    report = json.loads(out)
    assert (code, report["divergences"], report["steps"]) == (0, [], 200)
    (found,) = report["unsteady"]
    assert "pipe.r_counter" in found["kinds"]
    reader = SessionReader(Path(found["session"]))
    last = list(reader.events())[-2]
    assert isinstance(last, Verdict) and "r_counter" in last.complaints[0]
    monkeypatch.undo()
    with pytest.raises(SystemExit) as ended:
        main(["check", found["session"], "-q"])
    assert ended.value.code == 0, "what was recorded is what the sound model says"


def test_what_comes_twice_of_three_times_is_unsteady(
    template: Template, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests: list[Kernel] = []

    def build(facts: Any, **how: bool) -> Kernel:
        guests.append(build_model(facts, **how))
        return guests[-1]

    monkeypatch.setattr(trial, "build_model", build)
    # The sequence is the first guest, the last of its three replays the fourth; none after it is wrong.
    break_rule(monkeypatch, lambda: len(guests) <= 3)
    with Pool(template, tmp_path) as pool:
        report = Campaign(Plan(("pipe",), 0, 4, 60, None), image, pool, lambda report: None).run()
    assert len(guests) > 3
    assert [found.judgement for found in report.found] == [Judgement.UNSTEADY]


def test_what_the_sound_kernel_does_too_does_not_end_the_hunt(
    template: Template, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rule(monkeypatch, lambda: True)
    sound = prepared(image, tmp_path)
    with Pool(template, tmp_path) as pool, sound:
        report = Campaign(Plan(("pipe",), 0, 4, 600, None), image, pool, lambda report: None, sound=sound).run()
    assert {found.judgement for found in report.found} == {Judgement.SOUND}
    assert report.steps == 600
    assert report.repeated[Judgement.SOUND], "several sequences of this seed close a pipe"


def test_what_only_the_broken_kernel_does_ends_it(
    template: Template, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = False
    break_rule(monkeypatch, lambda: not beside)

    class Beside(SoundKernel):
        def attempt(self, source: Source, limit: int) -> Trial:
            nonlocal beside
            beside = True
            made = super().attempt(source, limit)
            beside = False
            return made

    with Pool(template, tmp_path) as pool, prepared(image, tmp_path, Beside) as sound:
        report = Campaign(Plan(("pipe",), 0, 4, 600, None), image, pool, lambda report: None, sound=sound).run()
    assert [found.judgement for found in report.found] == [Judgement.DIVERGENCE]


def prepared(image: Image, tmp_path: Path, kind: type[SoundKernel] = SoundKernel) -> SoundKernel:
    """Return the same image as a sound kernel beside itself."""
    place = tmp_path / "sound"
    place.mkdir()
    return kind(lambda: prepare_guests(GuestOptions(image.name)), place)


def test_a_kernel_is_not_sound_beside_itself(capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run("--sound", "lab-6.1", "--steps", "1", capsys=capsys)
    assert code == 2


def test_an_unknown_family_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run("--family", "pipes", capsys=capsys)
    assert code == 2


def test_a_step_is_looked_at_as_ktrace_run_does(lab: Lab, machine: Machine) -> None:
    checker = Checker(lambda: build_model(lab.facts))
    assert checker.initial(lab.look()) == ()
    observer = Observer(lab, machine, checker)
    actions = [(None, make_call("spawn", "A", {})), ("A", make_call("pipe2", 0)), ("A", make_call("read", 0, 1))]
    for number, (actor, call) in enumerate(actions, 1):
        step = observer.observe(number, actor, call)
        assert observer.check(step) is None
    assert step.outcome.blocked == {"A"}
    assert "pipe_read" in step.sleeps["A"]
    assert (step.text, step.answer) == ("read(0, 1)", "blocked")


def test_memory_that_cannot_be_read_is_a_finding(lab: Lab, machine: Machine) -> None:
    observer = Observer(lab, machine, Checker(lambda: build_model(lab.facts)))
    observer.observe(1, None, make_call("spawn", "A", {}))
    task = drgn.Object(lab.kernel.prog, "struct task_struct *", value=lab.inspector.tasks["A"])
    files = task.member_("files")
    assert files.address_ is not None
    write(lab, files, 0x1234)
    call = make_call("getuid")
    with pytest.raises(GuestGarbage) as caught:
        lab.see(())
    finding = observer.failure(call, caught.value)
    assert finding.call == "getuid"
    assert min(finding.kinds).startswith(("corrupt: ", "guest: "))
