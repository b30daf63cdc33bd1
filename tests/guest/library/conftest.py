"""One prepared lab for the tests of the library: a parent and a child around a pipe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ktrace
from ktrace.image.image import Image
from tests.guest.library.wheel import Installed, build_wheel, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """ktrace from its wheel, in an environment of its own."""
    scratch = tmp_path_factory.mktemp("wheel")
    return install(build_wheel(scratch), scratch)


@pytest.fixture(scope="module")
def around_a_pipe(image: Image) -> Iterator[ktrace.Prepared]:
    """A child that waits for what its parent writes: ``a, b, r, w``."""
    with ktrace.lab(image.name) as lab:
        a = lab.spawn()
        r, w = a.pipe2(0)
        b = a.fork()
        b.read(r, 10)
        prepared = lab.prepare(a, b, r, w)
    with prepared:
        yield prepared
