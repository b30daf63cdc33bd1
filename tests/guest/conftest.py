"""Live guests for tests: every test gets a fresh clone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ktrace.image.image import Image, find_image
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from ktrace.machine.template.template import Template
from ktrace.verify.lab import KernelCache, Lab


@pytest.fixture(scope="session")
def image() -> Image:
    """The lab image; ``make test`` builds it."""
    return find_image("lab-6.1")


@pytest.fixture(scope="session")
def template(image: Image) -> Template:
    """What clones are made of."""
    return ensure_template(image)


@pytest.fixture(scope="session")
def kernels() -> KernelCache:
    """Debug information, loaded once."""
    return KernelCache()


@pytest.fixture
def machine(template: Template, tmp_path: Path) -> Iterator[Machine]:
    """A fresh clone."""
    with Machine.clone(template, directory=tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
def lab(machine: Machine, image: Image, kernels: KernelCache) -> Lab:
    """A lab in a fresh clone."""
    return Lab(machine, image.vmlinux, kernels)


@pytest.fixture
def new_lab(template: Template, image: Image, kernels: KernelCache, tmp_path: Path) -> Iterator[Callable[[], Lab]]:
    """A way to get several labs, one after the other: each is looked at before the next is made."""
    with ExitStack() as stack:
        count = 0

        def make() -> Lab:
            nonlocal count
            count += 1
            machine = stack.enter_context(Machine.clone(template, directory=tmp_path / f"machine{count}"))
            return Lab(machine, image.vmlinux, kernels)

        yield make
