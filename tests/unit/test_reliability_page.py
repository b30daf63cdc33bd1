"""docs/reliability.md says what the last results of the tests of faults say."""

from __future__ import annotations

import json
from pathlib import Path

from tests.faults.tally import PAGE, RESULTS, Tally, keep, page, write_page

ABOUT = {"day": "2026-01-02", "kernel": "lab-6.1 6.1.192-lab", "load": 0.4, "seconds": 30.0}


def counted(fault: str, *ends: str) -> Tally:
    tally = Tally(1.0)
    row = tally.row(fault)
    for number, end in enumerate(ends):
        row.count(end, number / 4)
    return tally


def test_the_page_is_that_of_the_results() -> None:
    results = json.loads(RESULTS.read_text())
    assert PAGE.read_text() == page(results)
    found = {path.name for path in RESULTS.parent.glob("test_*.py")}
    assert {name.split("::")[0] for name in results} <= found


def test_a_result_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    results, shown = tmp_path / "results.json", tmp_path / "page.md"
    keep(counted("b is hurt", "fine"), "b", ABOUT, among=[], path=results)
    keep(counted("a is hurt", "fine", "fine", "refused"), "a", ABOUT, among=["a", "b"], path=results)
    keep(counted("b is hurt", "refused"), "b", ABOUT, among=[], path=results)
    write_page(shown, results)
    lines = shown.read_text().splitlines()
    assert lines[-4:-2] == [
        "| a is hurt | 3 | 0.50 s | fine 2, refused 1 | 30 s | 0.4 | 2026-01-02, lab-6.1 6.1.192-lab |",
        "| b is hurt | 1 | 0.00 s | refused 1 | 30 s | 0.4 | 2026-01-02, lab-6.1 6.1.192-lab |",
    ]
    assert lines[-1] == "4 faults in 2 tests, 1 minutes in all."
    keep(counted("b is hurt", "fine"), "b", ABOUT, among=["b"], path=results)
    assert list(json.loads(results.read_text())) == ["b"]
