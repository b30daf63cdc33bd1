"""One changed value of a recorded step is noticed, or a rule says why not; a check that sees less is found out."""

from __future__ import annotations

import gzip
import json
import os
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from ktrace.cli.check import check
from ktrace.cli.main import main
from ktrace.errors import InternalError, UsageError
from ktrace.fuzz.perturbing import perturb as perturbing
from ktrace.fuzz.perturbing.apart import apart, side_by_side
from ktrace.fuzz.perturbing.change import Change
from ktrace.fuzz.perturbing.leaves import leaves, named, with_leaf
from ktrace.fuzz.perturbing.perturb import perturb
from ktrace.fuzz.perturbing.plan import Plan, plan, sample
from ktrace.fuzz.perturbing.tally import NO_RULE, Tally
from ktrace.state.fs.file import Descriptor, DescriptorTable
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"


def tally(name: str, seed: str = "1", count: int = 3) -> Tally:
    """Change values of a recorded trace."""
    return perturb(plan([RECORDED / f"{name}.jsonl.gz"], seed, count))


def test_every_leaf_has_a_place() -> None:
    table = DescriptorTable(1, {3: Descriptor(Ref("file", "file1"), False)})
    found = {named(place): leaf for place, leaf in leaves(table)}
    assert found == {".users": 1, ".fds[].file": Ref("file", "file1"), ".fds[].cloexec": False, ".max_fds": 64}
    for place, leaf in leaves(table):
        assert with_leaf(table, place, leaf) == table
        assert [at for at, value in leaves(with_leaf(table, place, "other")) if value == "other"] == [place]


@pytest.mark.parametrize("name", ["pipe-basic", "sem-basic", "msg-types", "unix-stream"])
def test_what_is_not_noticed_has_a_rule(name: str) -> None:
    found = tally(name)
    assert found.changed >= 40 and found.failures == []
    assert [kind.rules[NO_RULE] for _, kind in found.unnoticed()] == [0] * len(found.unnoticed())
    assert found.noticed >= 0.95 * found.changed


def test_what_becomes_the_models_own_value_had_a_rule() -> None:
    """Step 16 of pipe-fragment has 4 references to a page where 3 to 9 are allowed: as 3 it needs no choice."""
    path = RECORDED / "pipe-fragment.jsonl.gz"
    step = next(step for step in SessionReader(path).steps() if step.number == 16)
    pipes = {ref: value for ref, value in step.world.objects.items() if ref.kind == "pipe" and value.bufs[0].page}
    changes = tuple(
        Change("pipe.bufs[].page_count", ref, ((".", "bufs"), ("[", 0), (".", "page_count")), count, count - 1)
        for ref, value in pipes.items()
        if (count := value.bufs[0].page_count) == 4
    )
    found = perturb([Plan(path, 31, {15: changes})])
    assert found.changed == 2 and found.noticed == 0 and found.faults == 0
    assert {"tcp_build_frag" in rule for _, rule in found.missed} == {True}


def test_the_same_seed_changes_the_same() -> None:
    assert tally("pipe-basic").as_dict() == tally("pipe-basic").as_dict()
    assert tally("pipe-basic").as_dict() != tally("pipe-basic", seed="2").as_dict()


def test_what_is_done_side_by_side_comes_to_the_same() -> None:
    paths = [RECORDED / f"{name}.jsonl.gz" for name in ("pipe-basic", "sem-basic", "pipe-tee")]
    plans = sample(plan(paths, "1", 2), "1", 40)
    assert sum(len(changes) for each in plans for changes in each.changes.values()) == 40
    assert perturb(plans, jobs=3).as_dict() == perturb(plans).as_dict()


def test_work_that_is_done_apart_leaves_nothing_and_says_how_it_ended() -> None:
    here: list[int] = []

    def work() -> int:
        here.append(1)
        return len(here)

    assert apart(work) == 1 and here == []
    assert list(side_by_side([partial(int, number) for number in range(5)], 2)) == list(range(5))
    with pytest.raises(InternalError, match="ended with 3"):
        apart(lambda: os._exit(3))
    with pytest.raises(UsageError, match="is not a ktrace session"):
        list(side_by_side([partial(plan, [Path("/dev/null")], "1", 1)], 2))


class Blind(Checker):
    """It finds nothing."""

    def check(self, step: Step) -> tuple[()]:
        super().check(step)
        return ()


def test_a_check_that_sees_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perturbing, "Checker", Blind)
    found = tally("pipe-basic", count=1)
    assert sum(kind.rules[NO_RULE] for _, kind in found.unnoticed()) > 0


def test_a_check_that_falls_over_is_a_bug_and_says_what(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(perturbing, "_check", fall_over)
    with pytest.raises(InternalError, match=r"KeyError: 'lost', test_perturbing.py:"):
        tally("pipe-basic", count=1)


def test_a_session_that_diverges_by_itself_is_refused(tmp_path: Path) -> None:
    """All that comes behind a divergence would be noticed."""
    text = gzip.decompress((RECORDED / "lab-7.3" / "pipe-stat.jsonl.gz").read_bytes()).decode()
    changed = tmp_path / "session.jsonl"
    changed.write_text(text.replace('"pipeanon_fops":true', '"pipeanon_fops":false', 1))
    with pytest.raises(UsageError, match=r"diverges at step \d+, without any change"):
        perturb(plan([changed], "1", 1))


def test_what_is_missed_without_a_rule_is_exit_code_6(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["check", "--perturb", "--changes", "1", str(RECORDED / "pipe-basic.jsonl.gz")]
    for kind, code in ((Checker, 0), (Blind, 6)):
        monkeypatch.setattr(perturbing, "Checker", kind)
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == code, capsys.readouterr().out


@pytest.mark.parametrize("options", [["--changes", "1"], ["--seed", "2"], ["--jobs", "2"]])
def test_what_says_how_to_change_needs_perturb(options: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{options[0]} is for --perturb"):
        CliRunner().invoke(check, [*options, str(RECORDED / "pipe-basic.jsonl.gz")], catch_exceptions=False)


def test_the_command_prints_a_table_and_data() -> None:
    trace = str(RECORDED / "pipe-basic.jsonl.gz")
    answer = CliRunner().invoke(check, ["--perturb", "--changes", "2", trace], catch_exceptions=False)
    assert "changes noticed, " in answer.output and "seed 0" in answer.output
    answer = CliRunner().invoke(check, ["--perturb", "--changes", "2", "--json", trace], catch_exceptions=False)
    data = json.loads(answer.output)
    assert data["noticed"] <= data["changed"] == sum(kind["changed"] for kind in data["kinds"].values())
