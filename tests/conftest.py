"""What every test may rely on, however pytest was started."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

collect_ignore_glob = ["*.kt"]  # some of them take minutes; who runs them does it on purpose
FAULTS = Path(__file__).parent / "faults"
NO_SKIP = "KTRACE_NO_SKIP"
"""An environment variable: what would be skipped for want of something on this machine fails instead."""


def pytest_configure() -> None:
    """Undo what ``nohup`` and a shell's ``&`` do: an ignored SIGINT would be inherited by every program under test."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the minutes of faults on purpose, unless they are asked for (``make faults``)."""
    asked = any("faults" in argument for argument in config.args)
    return True if collection_path == FAULTS and not asked else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make an error of a skip, where the environment asks for it and the test is not marked as optional."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and os.environ.get(NO_SKIP) and item.get_closest_marker("optional") is None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{NO_SKIP} is set, and this was skipped: {reason}"
    return report


@pytest.fixture(autouse=True)
def sigint_as_python_has_it() -> Iterator[None]:
    """Undo what the command leaves at its end, which a test may have run in this very process: SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)
