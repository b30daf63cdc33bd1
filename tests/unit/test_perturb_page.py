"""docs/coverage-values.md is what was measured, each rest has its reason, and a sample of the traces still says so."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from ktrace.fuzz.perturbing.perturb import perturb
from ktrace.fuzz.perturbing.plan import plan, sample
from tests.perturb_page import read_measured, reason, values_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage-values.md"
RECORDED = sorted((ROOT / "traces" / "recorded").glob("*.gz"))
FLOOR, OF_A_SAMPLE = 0.999, 0.995
"""Shares of the changes that must be noticed: of all, and of few, of which one may be too many."""


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == values_page(read_measured()), "run scripts/perturb-page"


def test_what_was_measured_reaches_the_floor_and_no_model_fell_over() -> None:
    found = read_measured()
    assert found["noticed"] >= FLOOR * found["changed"] > 0
    assert found["failures"] == []


def test_a_rule_without_a_reason_is_found() -> None:
    found = read_measured()
    found["unnoticed"]["pipe.head"] = {"pipe_write(): it may": 1}
    with pytest.raises(KeyError, match=r"pipe_write\(\): it may"):
        values_page(found)


def test_a_sample_of_the_recorded_traces_is_noticed() -> None:
    """One trace in ten, the same whatever others there are; what is changed there by the sample's own seed."""
    traces = [path for path in RECORDED if crc32(path.name.encode()) % 10 == 0]
    assert len(traces) > len(RECORDED) // 20
    plans = sample(plan(traces, "ci", 2), "ci", 300)
    found = perturb(plans, jobs=2)
    assert found.failures == []
    assert found.changed == 300
    assert found.noticed >= OF_A_SAMPLE * found.changed, found.missed
    for _, rule in found.missed:
        assert reason(rule)
