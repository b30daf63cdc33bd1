"""Two builds measured in turn: the other one is a small program with ktrace's command line, or a copy of ktrace."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.bench.against import compare_builds
from ktrace.bench.builds import Build, finished, two_builds
from ktrace.bench.commands import own_bench, watched
from ktrace.bench.figure import LESS, MORE, Figure, alternate, better, compare
from ktrace.bench.same import same_actions, same_counts
from ktrace.errors import GuestError, HostError, UsageError
from ktrace.image.store import open_store
from ktrace.verify.options import GuestOptions

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "traces" / "recorded"

PROGRAM = """
import json, os, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    print({name!r}, *words, file=log)
{code}
"""

BENCHES = """
if "--help" in words:
    print("Usage\\n  --only [" + {names!r} + "]\\n      Measure this one only.")
elif words[0] == "bench":
    print(json.dumps({rows}))
    sys.exit(1)  # a goal was missed
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ktrace"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def program(directory: Path, log: Path, code: str = "") -> Path:
    """Write a build whose command line does *code*, and notes how it was called."""
    package = directory / "ktrace"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PROGRAM.format(log=str(log), name=directory.name, code=code))
    return directory


def benches(names: str, *rows: dict[str, object]) -> str:
    return BENCHES.format(names=names, rows=list(rows))


def row(name: str, unit: str, ours: float) -> dict[str, object]:
    return {"name": name, "unit": unit, "ours": ours, "against": 0}


def build_of(directory: Path) -> Build:
    environment = {**os.environ, "PYTHONPATH": str(directory), "PYTHONSAFEPATH": "1"}
    return Build(directory.name, directory, environment, directory)


def ktrace(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ktrace", *arguments], capture_output=True, text=True, timeout=100, cwd=ROOT
    )


# Figures and pairs


@pytest.mark.parametrize(
    ("unit", "sense"),
    [("s", LESS), ("ms", LESS), ("us per call", LESS), ("MB", LESS), ("steps/s", MORE), ("events", None)],
)
def test_of_times_less_is_better_of_rates_more(unit: str, sense: str | None) -> None:
    assert better(unit) == sense


def test_a_ratio_is_the_median_of_the_pairs_and_above_one_where_this_build_is_better() -> None:
    ours = [[Figure("t", "ms", value), Figure("r", "steps/s", value)] for value in (1.0, 2.0, 10.0)]
    other = [[Figure("t", "ms", value), Figure("r", "steps/s", value)] for value in (2.0, 8.0, 30.0)]
    time, rate = compare(ours, other)
    assert (time.ours, time.other, time.ratio, time.lowest, time.highest) == (2.0, 8.0, 3.0, 2.0, 4.0)
    assert (rate.ratio, rate.lowest, rate.highest) == (1 / 3, 1 / 4, 1 / 2)
    assert (time.best, rate.best) == (2.0, 10 / 30)
    assert rate.below(0.95) and not time.below(0.95) and not rate.below(None)


def test_what_one_build_lacks_stands_alone_and_nothing_is_divided_by_zero() -> None:
    rows = compare([[Figure("a", "ms", 1), Figure("lost", "ms", 0)]], [[Figure("b", "ms", 2), Figure("lost", "ms", 0)]])
    assert [(row.name, row.note, row.ratio, row.below(0.95)) for row in rows] == [
        ("a", "only in this build", None, False),
        ("lost", "", None, False),
        ("b", "only in the other build", None, False),
    ]


def test_a_figure_whose_unit_changed_is_two() -> None:
    rows = compare([[Figure("a", "ms", 1)]], [[Figure("a", "s", 2)]])
    assert [(row.unit, row.note) for row in rows] == [("ms", "only in this build"), ("s", "only in the other build")]


def test_builds_are_measured_in_turn_and_each_is_the_first_as_often(tmp_path: Path, log: Path) -> None:
    one, two = (build_of(program(tmp_path / name, log)) for name in ("one", "two"))
    rows = alternate(lambda build: [Figure("wall", "s", watched(build, "go")[0])], one, two, 4)
    assert (
        log.read_text().split() == ["one", "go", "two", "go"] + ["one", "go", "two", "go", "two", "go", "one", "go"] * 2
    )
    assert [row.name for row in rows] == ["wall"] and rows[0].ratio is not None


# Benchmarks that a build measures itself


def test_rows_of_both_builds_are_united_and_an_unknown_bench_is_measured_in_its_own(tmp_path: Path, log: Path) -> None:
    one = program(tmp_path / "one", log, benches("a|b|c", row("a", "ms", 2), row("a: more", "MB", 5)))
    two = program(tmp_path / "two", log, benches("a|\n   d", row("a", "ms", 3)))
    rows = [
        row
        for rows in compare_builds(
            build_of(one), build_of(two), ["a", "b"], 2, GuestOptions("lab"), True, lambda _: None
        )
        for row in rows
    ]
    assert [(row.name, row.ours, row.other, row.ratio, row.note) for row in rows] == [
        ("a", 2, 3, 1.5, ""),
        ("a: more", 5, None, None, "only in this build"),
        ("a", 2, None, None, "only in this build"),
        ("a: more", 5, None, None, "only in this build"),
        ("a", None, 3, None, "only in the other build"),
    ]
    called = [line.split() for line in log.read_text().splitlines()]
    measured = [(words[0], words[3]) for words in called if "--runs" in words]
    assert measured == [("one", "a"), ("two", "a"), ("two", "a"), ("one", "a"), ("one", "b"), ("two", "d")]
    assert ["two", "image", "build", "lab"] in called


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("sys.exit(1)", UsageError, "exit code 1: no message"),
        ("sys.exit('ktrace (usage): no image')", UsageError, "ktrace (usage): no image"),
        ("print('ktrace (host): no QEMU\\n  run it', file=sys.stderr); sys.exit(3)", HostError, "no QEMU"),
        ("print('ktrace (guest): panic', file=sys.stderr); sys.exit(4)", GuestError, "panic"),
        ("{}['key']", UsageError, "exit code 1: KeyError: 'key'"),
        ("print('no rows')", UsageError, "exit code 0: no rows"),
        ("print('[{}]')", UsageError, "exit code 0"),
    ],
)
def test_a_bench_that_fails_says_so_in_one_line(
    tmp_path: Path, log: Path, code: str, kind: type[Exception], said: str
) -> None:
    broken = build_of(program(tmp_path / "broken", log, code))
    with pytest.raises(
        kind, match=r"^broken: ktrace bench --only a .*" + said.replace("(", r"\(").replace(")", r"\)")
    ) as caught:
        own_bench("a", GuestOptions("lab"))(broken)
    assert "\n" not in str(caught.value)


def test_a_whole_command_that_fails_or_is_killed_is_no_figure(tmp_path: Path, log: Path) -> None:
    failing = build_of(program(tmp_path / "failing", log, "sys.exit('ktrace (usage): bad')"))
    with pytest.raises(UsageError, match=r"failing: ktrace go failed with exit code 1: ktrace \(usage\): bad"):
        watched(failing, "go")
    killed = build_of(program(tmp_path / "killed", log, "os.kill(os.getpid(), 9)"))
    with pytest.raises(UsageError, match="killed: ktrace go failed with exit code -9: no message"):
        watched(killed, "go")


def test_what_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); open('pid', 'w').write(str(p.pid)); p.wait()"
    )
    with pytest.raises(HostError, match=r"^it did not end within 5 s(?:\n|$)"):
        finished([sys.executable, "-c", code], os.environ, tmp_path, "it", 5)
    assert has_ended(tmp_path / "pid")


def has_ended(pid: Path) -> bool:
    """Tell whether the process whose number stands in *pid* ends within ten seconds."""
    try:
        child = os.pidfd_open(int(pid.read_text()))
    except ProcessLookupError:
        return True
    with os.fdopen(child):
        return bool(select.select([child], [], [], 10)[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_who_is_killed_takes_along_what_it_started(tmp_path: Path, log: Path, number: int) -> None:
    code = (
        "if words == ['bench', '--help']:\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "    import tempfile; tempfile.mkdtemp(prefix='ktrace-bench-')\n"
        f"    os.kill(int(os.environ['TO_KILL']), {int(number)})\n"
        "    import time; time.sleep(600)\n"
    )
    waits = program(tmp_path / "waits", log, code)
    # The shell's own number is that of what it becomes.
    command = ["/bin/sh", "-c", 'export TO_KILL=$$; exec "$@"', "sh", sys.executable, "-m", "ktrace"]
    ended = subprocess.run(
        [*command, "bench", "--against", str(waits), "--only", "start-up"],
        capture_output=True, timeout=100, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert ended.returncode == {signal.SIGTERM: 143, signal.SIGKILL: -9, signal.SIGINT: 130}[signal.Signals(number)]
    assert has_ended(tmp_path / "pid")
    assert number == signal.SIGKILL or not list(tmp_path.glob("ktrace-bench-*"))


# The builds


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "copy"
    shutil.copytree(ROOT / "ktrace", place / "ktrace", ignore=shutil.ignore_patterns("__pycache__"))
    yield place


def test_each_build_runs_its_own_code_writes_none_and_has_names_of_its_own(
    copy: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (copy / "ktrace" / "cli" / "show.py").write_text("import click\nshow = click.Command('show', callback=lambda: 7)\n")
    store = open_store()
    store.write_ref("lab", {"image": "before"})
    (cache / "kernels" / "k").mkdir()
    with two_builds(copy) as (ours, other):
        assert other.answer("show", accept=(7,)).code == 7
        assert ours.answer("show", accept=(2,)).code == 2
        own = Path(other.environment["XDG_CACHE_HOME"], "ktrace")
        assert json.loads((own / "refs" / "lab.json").read_text()) == {"image": "before"}
        (own / "refs" / "lab.json").write_text('{"image": "after"}')
        assert (own / "kernels" / "k").is_dir() and (own / "templates").resolve() == cache / "templates"
    assert store.read_ref("lab") == {"image": "before"}
    assert (cache / "kernels" / "k").is_dir(), "the user's store went with the view of it"
    assert not own.exists() and not list(copy.rglob("*.pyc"))


def test_the_same_traces_give_the_same_counts_and_a_build_that_compares_less_is_found(copy: Path) -> None:
    traces = [RECORDED / "pipe-basic.jsonl.gz", RECORDED / "sem-basic.jsonl.gz"]
    with two_builds(copy) as (ours, other):
        assert [same.equal for same in same_counts(ours, other, traces)] == [True, True]
        checker = copy / "ktrace" / "verify" / "checker.py"
        text = checker.read_text()
        assert "self.fields += " in text
        checker.write_text(text.replace("self.fields += ", "self.fields += -1 + "))
        found = list(same_counts(ours, other, traces))
        assert [same.equal for same in found] == [False, False]
        assert "agreed, 16 steps" in found[0].ours and "agreed, 16 steps" in found[0].other


def test_a_trace_that_a_build_cannot_read_is_named(copy: Path, tmp_path: Path) -> None:
    with two_builds(copy) as (ours, other), pytest.raises(UsageError, match=r"ktrace check .*/none.gz failed"):
        list(same_counts(ours, other, [RECORDED / "pipe-basic.jsonl.gz", tmp_path / "none.gz"]))


def fuzzing(digest: str, **more: object) -> str:
    report = {"digest": digest, "steps": 9, "sequences": 1, "not_modelled": {}, "divergences": [], **more}
    return f"print(json.dumps({report!r}))"


def test_other_actions_are_found(tmp_path: Path, log: Path) -> None:
    one = build_of(program(tmp_path / "one", log, fuzzing("abc")))
    two = build_of(program(tmp_path / "two", log, fuzzing("abc")))
    three = build_of(program(tmp_path / "three", log, fuzzing("abd")))
    assert [same.equal for same in same_actions(one, two, ["pipe", "sem"], [1, 2], 9, GuestOptions("lab"))] == [
        True
    ] * 4
    (found,) = same_actions(one, three, ["pipe"], [1], 9, GuestOptions("lab"))
    assert not found.equal and (found.ours, found.other) == (
        "digest abc, steps 9, sequences 1, 0 divergences",
        "digest abd, steps 9, sequences 1, 0 divergences",
    )


# The command


def test_what_is_no_build_is_refused(tmp_path: Path, log: Path) -> None:
    (tmp_path / "half" / "ktrace").mkdir(parents=True)
    (tmp_path / "half" / "ktrace" / "__init__.py").touch()
    broken = program(tmp_path / "broken", log, "raise SystemExit('no module')")
    for place, said in (
        (tmp_path / "none", "is no build: it has no ktrace/__init__.py"),
        (tmp_path / "half", "is no build: it has no ktrace/__main__.py"),
        (broken, "ktrace --version failed with exit code 1: no module"),
    ):
        ended = ktrace("bench", "--against", str(place))
        assert (ended.returncode, ended.stdout) == (2, "") and said in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--same"], "--same needs another build"),
        (["--seed", "3"], "--seed says what --same makes"),
        (["--against", ".", "--steps", "3"], "--steps says what --same makes"),
        (["--at-least", "0.95"], "--at-least needs another build"),
        (["--against", ".", "--same", "--at-least", "1"], "--same measures nothing: leave out --at-least"),
        (["--against", ".", "--same", "--only", "fuzz"], "--same measures nothing: leave out --only"),
        (["--against", ".", "--at-least", "-1"], "--at-least"),
        (["--only", "speed"], "'speed' is not known"),
    ],
)
def test_options_that_mean_nothing_are_refused(arguments: list[str], said: str) -> None:
    ended = ktrace("bench", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "") and said in ended.stderr


CHECKING = """
if "--json" in words:
    print(json.dumps({"event": "start"}))
    print(json.dumps({"event": "end", "fields": 1833}))
"""


def test_a_row_below_the_bound_has_its_exit_code(tmp_path: Path, log: Path) -> None:
    quick = program(tmp_path / "quick", log, benches("start-up|check-traces") + CHECKING)
    (quick / "traces" / "recorded").mkdir(parents=True)
    shutil.copy(RECORDED / "pipe-basic.jsonl.gz", quick / "traces" / "recorded")
    arguments = ("bench", "--against", str(quick), "--only", "check-traces", "--runs", "3", "--json")
    # It does nothing at all: that is quicker than this build is, but not a billion times.
    for least, code in (("1e-9", 0), ("1", 6)):
        ended = ktrace(*arguments, "--at-least", least)
        assert ended.returncode == code, ended.stderr
        rows = json.loads(ended.stdout)
        assert [(row["name"], row["below"]) for row in rows] == [
            ("check-traces", code == 6),
            ("check-traces: fields", False),
        ]
        assert rows[1]["ours"] > 1000 and rows[1]["other"] == 1833


def test_what_was_measured_before_a_failure_is_printed(tmp_path: Path, log: Path) -> None:
    code = "if 'show' in words: sys.exit('ktrace (usage): cannot show')\n" + benches("start-up")
    half = program(tmp_path / "half", log, code)
    ended = ktrace("bench", "--against", str(half), "--only", "start-up", "--runs", "3")
    assert ended.returncode == 2 and "start-up: --version" in ended.stdout and "cannot show" in ended.stderr
