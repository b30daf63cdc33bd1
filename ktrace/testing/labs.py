"""Labs for tests: what a test's markers ask for, and what this machine cannot give is a reason to skip it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pytest

import ktrace
from ktrace.errors import HostError, UsageError
from ktrace.library.guests import guests_of, require_image
from ktrace.library.lab import Lab
from ktrace.library.opening import options_of
from ktrace.library.prepared import Prepared, private_directory
from ktrace.verify.options import DEFAULT_IMAGE, GuestOptions

AHEAD_FROM = 4
"""Tests that have asked for a fresh guest before the next ones are made ahead: most runs of one test need none."""
STEPS = 5
"""Last steps of a failed test that are printed."""
KNOWN = frozenset({"image", "memory", "functions", "events", "probes", "checked", "accel", "prepare"})


@dataclass(frozen=True)
class Wanted:
    """What a test's lab is made of.

    :param prepare: sets it up; ``None`` where nothing is to be
    """

    guest: GuestOptions
    checked: bool
    prepare: Callable[[Lab], object] | None


def images_of(config: pytest.Config, node: pytest.Item | Any) -> tuple[str, ...]:
    """Return the images that a test runs in: of its marker, the command line, the configuration, or ours."""
    image = _marked(node).get("image")
    if isinstance(image, (tuple, list)):
        return tuple(map(str, image))
    if image is None:
        image = config.getoption("--ktrace-image") or config.getini("ktrace_image") or DEFAULT_IMAGE
    return _names(str(image))


def _names(images: str) -> tuple[str, ...]:
    """Return the images in a list with commas.

    :raises pytest.UsageError: one has no name, or is there twice
    """
    names = tuple(name.strip() for name in images.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise pytest.UsageError(f"ktrace: {images!r} names an image {'twice' if all(names) else 'without a name'}")
    return names


def require_known(images: str) -> None:
    """See that the images that the command line names are known here, built or not.

    :raises pytest.UsageError: one is not
    """
    for name in _names(images):
        try:
            require_image(name)
        except UsageError as error:
            raise pytest.UsageError(f"--ktrace-image: {error.message}; {error.hint}") from None


def wanted_of(node: pytest.Item | Any, image: str) -> Wanted:
    """Return what a test's markers ask for; the nearest says most."""
    marked = _marked(node)
    guest = options_of(
        image,
        memory=marked.get("memory"),
        accel=marked.get("accel"),
        functions=bool(marked.get("functions")),
        events=marked.get("events", ()),
        probes=marked.get("probes", ()),
    )
    return Wanted(guest, bool(marked.get("checked", True)), marked.get("prepare"))


def _marked(node: pytest.Item | Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for marker in node.iter_markers("ktrace"):  # the nearest first
        if marker.args:
            raise pytest.UsageError(f"{node.nodeid}: the ktrace marker takes names: ktrace(image={marker.args[0]!r})")
        if strange := marker.kwargs.keys() - KNOWN:
            raise pytest.UsageError(f"{node.nodeid}: the ktrace marker has no {', '.join(sorted(strange))}")
        found = {**marker.kwargs, **found}
    return found


def require(config: pytest.Config, options: GuestOptions) -> None:
    """See that guests can be had; a test that wants one is skipped where not, or fails if that was asked for."""
    try:
        guests_of(options)
    except (HostError, UsageError) as error:
        reason = f"no lab {options.image!r} here: {error.message}" + (f" ({error.hint})" if error.hint else "")
        if config.getoption("--ktrace-require") or config.getini("ktrace_require"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def _wanted(node: pytest.Item, image: str) -> Wanted:
    """Return what a test's markers ask for; a test whose markers are wrong fails by one line."""
    try:
        return wanted_of(node, image)
    except UsageError as error:
        pytest.fail(f"the ktrace marker of {node.nodeid}: {error.message}", pytrace=False)


class Labs:
    """Make the labs of one run; what is prepared for several tests is kept until its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._prepared: dict[Wanted, Prepared] = {}
        self._asked: Counter[GuestOptions] = Counter()
        self._owned = ExitStack()

    def __enter__(self) -> Labs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owned.close()

    def fresh(self, node: pytest.Item, image: str) -> Lab:
        """Return a lab for a test, which has not begun."""
        wanted = _wanted(node, image)
        if wanted.prepare is not None and "prepared_lab" not in getattr(node, "fixturenames", ()):
            pytest.fail("the marker's prepare is for prepared_lab, and this test takes lab", pytrace=False)
        require(self._config, wanted.guest)
        self._asked[wanted.guest] += 1
        if self._asked[wanted.guest] == AHEAD_FROM:
            scratch = self._owned.enter_context(private_directory())
            self._owned.enter_context(guests_of(wanted.guest).ahead(scratch))
        return Lab(wanted.guest, checked=wanted.checked, title=node.nodeid)

    def prepared(self, node: pytest.Item, image: str) -> Lab:
        """Return a clone, for a test, of what its marker's ``prepare`` has set up."""
        wanted = _wanted(node, image)
        if not callable(wanted.prepare):
            pytest.fail("prepared_lab needs @pytest.mark.ktrace(prepare=FUNCTION)", pytrace=False)
        require(self._config, wanted.guest)
        if wanted not in self._prepared:
            name = getattr(wanted.prepare, "__qualname__", "prepare")
            with Lab(wanted.guest, checked=wanted.checked, title=name) as lab:
                prepared = lab.prepare(wanted.prepare(lab))
            self._prepared[wanted] = self._owned.enter_context(prepared)
        return self._prepared[wanted].clone(title=node.nodeid)


def kept(lab: Lab, error: BaseException | None) -> str:
    """Have a lab's session kept, and return where that of what led to *error* lies and what its last steps did."""
    try:
        lab.keep()
        place, told = lab.told_of(error, STEPS)
        return f"session {place}\n{told}".rstrip()
    except ktrace.UsageError as error:  # the test itself has ended it
        return error.message
