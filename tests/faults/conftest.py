"""Faults, many of each kind, and a table of what came of them: ``make faults``.

These tests take minutes, so ``make test`` leaves this directory out. Every random choice is seeded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
def tally(pytestconfig: pytest.Config) -> Iterator[Tally]:
    """Where each kind of fault is counted."""
    tally = Tally(pytestconfig.getoption("--faults"))
    yield tally
    session_failed = getattr(pytestconfig, "faults_failed", False)
    if pytestconfig.getoption("--write-table") and not session_failed:
        write_table(TABLE, tally)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember that one failed: no table is written then."""
    if report.failed:
        _config.faults_failed = True  # type: ignore[attr-defined]


def pytest_configure(config: pytest.Config) -> None:
    """Keep the configuration for the reports, which come without it."""
    global _config
    _config = config


_config: pytest.Config


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A place for commands to run in, where nothing that they leave is overlooked."""
    with Sandbox(tmp_path) as sandbox:
        yield sandbox
