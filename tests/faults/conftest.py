"""Faults, many of each kind, and a table of what came of them: ``make faults``.

These tests take minutes, so ``make test`` leaves this directory out. Every random choice is seeded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ktrace.image.bzimage import banner_version
from ktrace.image.image import Image
from tests.faults.sandbox import Sandbox
from tests.faults.tally import Tally, keep, write_page
from tests.guest.conftest import image, kernels, template

__all__ = ["image", "kernels", "template"]

HERE = Path(__file__).parent
PASSED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add how many faults there are, and whether the table is written."""
    group = parser.getgroup("faults")
    group.addoption("--faults", type=float, default=1.0, help="make this share of them, such as 0.1")
    group.addoption("--write-table", action="store_true", help="write what came of each test into docs/reliability.md")


@pytest.fixture
def tally(request: pytest.FixtureRequest, image: Image) -> Iterator[Tally]:
    """Where each kind of fault is counted, and kept where all were made and survived."""
    tally = Tally(request.config.getoption("--faults"))
    began = time.monotonic()
    yield tally
    if request.config.getoption("--write-table") and tally.share == 1 and request.node.stash.get(PASSED, False):
        version = banner_version(image.vmlinux)
        about = {
            "day": f"{datetime.now(UTC):%Y-%m-%d}",
            "kernel": f"{image.name} {version[0] if version else '?'}",
            "load": round(os.getloadavg()[0], 1),
            "seconds": round(time.monotonic() - began, 1),
        }
        session = request.session
        whole = {item.path for item in session.items} == set(
            HERE.glob("test_*.py")
        ) and not request.config.option.keyword
        keep(tally, _name(request.node), about, among=[_name(item) for item in session.items] if whole else [])
        write_page()


def _name(item: pytest.Item) -> str:
    return item.nodeid.removeprefix("tests/faults/")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which test has passed."""
    report = yield
    if call.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A place for commands to run in, where nothing that they leave is overlooked."""
    with Sandbox(tmp_path) as sandbox:
        yield sandbox
