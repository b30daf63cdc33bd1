"""What pytest loads with every run: little, for most have nothing to do with ktrace; the rest comes when asked for."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ktrace.library.lab import Lab
    from ktrace.testing.labs import Labs
    from ktrace.testing.scripts import ScriptFile

LABS = pytest.StashKey["list[Lab]"]()
"""The labs of a test."""
CONSOLE_LINES = 20
_LOOKED_AT = 4096
"""Bytes in which a script's title begins."""
_MARKER = (
    "ktrace(image, memory, functions, events, probes, checked, accel, prepare): what the test's lab is made of; "
    "prepare is called once a run with a lab, and prepared_lab is a clone of that"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("ktrace", "labs in Linux guests")
    group.addoption(
        "--ktrace-image",
        metavar="IMAGE,...",
        help="the lab image to run tests in; of several, each test in each; a test's own marker comes first",
    )
    group.addoption(
        "--ktrace-require", action="store_true", help="fail where a lab cannot be had on this machine, do not skip"
    )
    parser.addini("ktrace_image", "the lab images to run tests in", default="")
    parser.addini("ktrace_require", "fail where a lab cannot be had on this machine", type="bool", default=False)
    parser.addini("ktrace_scripts", "collect *.kt scripts as tests", type="bool", default=True)


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker, and that our own asserts are no test's; see that the images asked for are known.

    It compiles all modules of a plugin's distribution anew, to say more of an assert that fails: 600 of ours, in every
    process where they cannot be kept. Which they are is known to nobody else (``_pytest/assertion/rewrite.py``); where
    that changes, all goes on, only slower.
    """
    config.addinivalue_line("markers", _MARKER)
    marked = getattr(config.pluginmanager.rewrite_hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked.discard("ktrace")
    if (images := config.getoption("--ktrace-image")) and not hasattr(config, "workerinput"):
        from ktrace.testing.labs import require_known

        require_known(images)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScriptFile | None:
    """Collect a workload script: one with a title, as other languages have ``.kt`` files, too; or one that is named."""
    if file_path.suffix != ".kt":
        return None
    if not parent.session.isinitpath(file_path) and not (
        parent.config.getini("ktrace_scripts") and is_script(file_path)
    ):
        return None
    from ktrace.testing.scripts import ScriptFile

    return ScriptFile.from_parent(parent, path=file_path)


def is_script(path: Path) -> bool:
    """Tell whether a file is a workload script: its first line that is not empty is a title."""
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"##")
    except OSError:
        return False


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have a test run in each of several images."""
    if "ktrace_image" not in metafunc.fixturenames:
        return
    from ktrace.testing.labs import images_of

    images = images_of(metafunc.config, metafunc.definition)
    if len(images) > 1:
        metafunc.parametrize("ktrace_image", images, indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the sessions of a test that failed, and say where they lie."""
    labs = item.stash.get(LABS, None)
    if labs and call.excinfo is not None:
        from ktrace.library.find import note_members

        note_members(call.excinfo.value)
    report = yield
    if labs and report.failed and report.when == "call":
        from ktrace.testing.labs import kept

        error = None if call.excinfo is None else call.excinfo.value
        report.sections += [("ktrace", kept(lab, error)) for lab in labs]
        if console := getattr(error, "console", ""):
            report.sections.append(("end of the guest's console", "\n".join(console.splitlines()[-CONSOLE_LINES:])))
    return report


@pytest.fixture
def ktrace_image(request: pytest.FixtureRequest) -> str:
    """Name the lab image that the test runs in."""
    from ktrace.testing.labs import images_of

    return str(request.param) if hasattr(request, "param") else images_of(request.config, request.node)[0]


@pytest.fixture(scope="session")
def ktrace_labs(pytestconfig: pytest.Config) -> Iterator[Labs]:
    """Make labs; what was prepared for them is made once a run."""
    from ktrace.testing.labs import Labs

    with Labs(pytestconfig) as labs:
        yield labs


@pytest.fixture
def lab(request: pytest.FixtureRequest, ktrace_labs: Labs, ktrace_image: str) -> Iterator[Lab]:
    """Give the test a lab in a fresh guest (docs/python.md)."""
    yield from _running(request, lambda: ktrace_labs.fresh(request.node, ktrace_image))


@pytest.fixture
def prepared_lab(request: pytest.FixtureRequest, ktrace_labs: Labs, ktrace_image: str) -> Iterator[Lab]:
    """Give the test a clone of the lab that its marker's ``prepare`` has set up; ``prepared`` is what that returned."""
    yield from _running(request, lambda: ktrace_labs.prepared(request.node, ktrace_image))


def _running(request: pytest.FixtureRequest, make: Callable[[], Lab]) -> Iterator[Lab]:
    with make() as lab:
        node: Any = request.node
        node.stash.setdefault(LABS, []).append(lab)
        yield lab
