"""Benchmarks of the library: its import, tests under pytest, going back to a checkpoint."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import ktrace
from ktrace.bench.measure import Row, pairs, seconds
from ktrace.errors import HostError
from ktrace.library.lab import Lab
from ktrace.verify.notify import Notify
from ktrace.verify.options import GuestOptions

TESTS = 100
PAIRS = 3
"""Runs of all tests: one takes long enough to be steady."""
PLUGIN = "ktrace.testing.plugin"
DEADLINE = 600
IMPORT_MS = 60.0
TEST_MS = 70.0
TWICE = 1.7
"""How many times faster two processes are to be."""
BACK = 1.5
"""How many times as long as a fresh lab a checkpoint and the way back may take."""

_EMPTY = f"""
import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_nothing(number):
    pass
"""
_OF_FIVE_STEPS = f"""
import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_pipe(lab, number):
    a = lab.spawn()
    r, w = a.pipe2(0)
    b = a.fork()
    a.write(w, b"x" * 100)
    assert b.read(r, 4096).value == 100 and lab.pipe(w).tail == 1
"""


def library(guest: GuestOptions, runs: int, notify: Notify) -> list[Row]:
    """Measure what the library promises.

    :param runs: pairs per figure; of whole runs of pytest there are fewer
    :raises HostError: pytest is not installed, or a test failed
    """
    return [_import(runs), _checkpoint(guest, runs), *_under_pytest(guest, notify)]


def _import(runs: int) -> Row:
    """Measure ``import ktrace``, beside a Python that imports nothing."""
    environment = _environment()

    def python(code: str) -> float:
        command = [sys.executable, "-c", code]
        return seconds(lambda: subprocess.run(command, env=environment, check=True, timeout=DEADLINE))

    python("import ktrace")
    with_it, without, _ = pairs(lambda: python("import ktrace"), lambda: python("pass"), runs)
    return Row("library: import ktrace", "ms", (with_it - without) * 1e3, goal=IMPORT_MS, at_most=True)


def _checkpoint(guest: GuestOptions, runs: int) -> Row:
    """Measure a checkpoint and the way back, beside a fresh lab."""

    def fresh() -> float:
        start = perf_counter()
        with Lab(guest):
            return perf_counter() - start

    with Lab(guest) as lab:
        a = lab.spawn()
        a.pipe2(0)

        def there_and_back() -> float:
            start = perf_counter()
            with lab.checkpoint():
                pass
            return perf_counter() - start

        fresh(), there_and_back()
        ours, against, _ = pairs(there_and_back, fresh, runs)
    name = "library: checkpoint and back, beside a fresh lab"
    return Row(name, "ms", ours * 1e3, against * 1e3, ours / against, BACK, at_most=True)


def _under_pytest(guest: GuestOptions, notify: Notify) -> list[Row]:
    """Measure tests of five steps, beside as many that are empty; and in two processes."""
    if find_spec("pytest") is None:
        raise HostError("pytest is not installed", "pip install 'ktrace[test]'")
    with TemporaryDirectory(prefix="ktrace-bench-") as scratch:
        places = {"empty": _EMPTY, "five": _OF_FIVE_STEPS}
        for name, source in places.items():
            (Path(scratch) / name).mkdir()
            (Path(scratch) / name / "test_it.py").write_text(source)
        two = ["-n", "2"] if find_spec("xdist") is not None else None
        _pytest(Path(scratch) / "five", guest, ["-k", "[1]"])
        empty, single, double = [], [], []
        for _ in range(PAIRS):
            empty.append(_pytest(Path(scratch) / "empty", guest))
            single.append(_pytest(Path(scratch) / "five", guest))
            if two is not None:
                double.append(_pytest(Path(scratch) / "five", guest, two))
    each = statistics.median(one - none for one, none in zip(single, empty, strict=True)) / TESTS
    rows = [Row("library: a test of 5 steps under pytest", "ms", each * 1e3, goal=TEST_MS, at_most=True)]
    if not double:
        notify("tests in two processes are left out: pytest-xdist is not installed")
        return rows
    ours, against = statistics.median(double), statistics.median(single)
    ratio = statistics.median(one / both for one, both in zip(single, double, strict=True))
    return [*rows, Row(f"library: {TESTS} tests in two processes", "s", ours, against, ratio, TWICE)]


def _pytest(place: Path, guest: GuestOptions, more: Sequence[str] = ()) -> float:
    """Run the tests in *place*, and return how long that took in s."""
    installed = any(entry.value == PLUGIN for entry in entry_points(group="pytest11"))
    plugin = () if installed else ("-p", PLUGIN)
    command = [sys.executable, "-m", "pytest", *plugin, "-q", "-p", "no:cacheprovider", "--ktrace-require"]
    start = perf_counter()
    done = subprocess.run(
        [*command, "--ktrace-image", guest.image, *more],
        cwd=place,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    if done.returncode:
        raise HostError(f"a test of the benchmark failed: {done.stdout.strip()[-2000:]}")
    return perf_counter() - start


def _environment() -> dict[str, str]:
    """Return one in which this very ktrace is imported."""
    here = str(Path(str(ktrace.__file__)).parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))}
