"""Faults, many of each kind, and a table of what came of them: ``make faults``.

These tests take minutes, so ``make test`` leaves this directory out. Every random choice is seeded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ktrace.image.bzimage import banner_version
from ktrace.image.image import Image
from tests.faults.sandbox import Sandbox
from tests.faults.tally import Tally, write_table
from tests.guest.conftest import image, kernels, template

__all__ = ["image", "kernels", "template"]

TABLE = Path(__file__).parents[2] / "docs" / "reliability.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add how many faults there are, and whether the table is written."""
    group = parser.getgroup("faults")
    group.addoption("--faults", type=float, default=1.0, help="make this share of them, such as 0.1")
    group.addoption("--write-table", action="store_true", help="write docs/reliability.md, if all is well")


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config, image: Image, request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Where each kind of fault is counted."""
    tally = Tally(pytestconfig.getoption("--faults"))
    began = time.monotonic()
    yield tally
    if pytestconfig.getoption("--write-table"):
        whole = {item.path for item in request.session.items} == set(Path(__file__).parent.glob("test_*.py"))
        if tally.share == 1 and whole and not _outcome.chosen and not _outcome.failed:
            write_table(TABLE, tally, _measured(image, len(request.session.items), time.monotonic() - began))


def _measured(image: Image, tests: int, seconds: float) -> str:
    version = banner_version(image.vmlinux)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {image.name} (Linux {version[0] if version else '?'}), "
        f"{os.cpu_count()} CPUs at load {os.getloadavg()[2]:.1f}: {tests} tests in {seconds / 60:.0f} minutes."
    )


class _Outcome:
    """What of a run forbids the table: it is of all faults, and of nothing but survived ones."""

    failed = False
    chosen = False


_outcome = _Outcome()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember that one failed or was skipped."""
    _outcome.failed |= report.failed or report.skipped


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember that not all were wanted."""
    _outcome.chosen |= bool(items)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A place for commands to run in, where nothing that they leave is overlooked."""
    with Sandbox(tmp_path) as sandbox:
        yield sandbox
