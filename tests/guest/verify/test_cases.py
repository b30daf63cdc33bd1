"""What public bug reports showed the kernel to do: each case agrees, validators too, or is said not to be known."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.library import load
from tests.sinks import Record

CASES = sorted((Path(__file__).parent / "cases").glob("*.kt"))
NOT_KNOWN = {
    "fork-thread": ("fork-thread.kt:3:4: ", "this is not known of actors"),
    "vmsplice-text": ("vmsplice-text.kt:4:16: ", "a text has none that lasts"),
}
"""Where a case ends with exit code 2, and what it is told."""


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_agrees_or_is_not_known(path: Path, lab: Lab) -> None:
    record = Record()
    if path.stem in NOT_KNOWN:
        place, said = NOT_KNOWN[path.stem]
        with pytest.raises(UsageError) as caught:
            run_script(load(str(path)), lab, record, {}, validate=True)
        first = caught.value.message.splitlines()[0]
        assert first.startswith(place) and said in first
    else:
        end = run_script(load(str(path)), lab, record, {}, validate=True)
        assert end.status == "agreed" and end.steps > 0
    assert record.verdicts == []


def test_there_are_cases() -> None:
    assert len(CASES) >= 29
