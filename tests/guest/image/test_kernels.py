"""Kernels other than the lab's own boot to the agent: those of the store that a recipe or Debian gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.errors import GuestFileError
from ktrace.image.elf import read_elf_facts
from ktrace.image.image import Image
from ktrace.image.kconfig import parse_config
from ktrace.image.recipe import load_recipe
from ktrace.image.store import digest_file
from ktrace.image.wishes import advise
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template
from tests.guest.kernels import LABS, STOCK, built, optional

pytestmark = optional


@pytest.fixture(params=[*LABS, *STOCK])
def other(request: pytest.FixtureRequest) -> Image:
    return built(str(request.param))


@pytest.fixture
def guest(other: Image, tmp_path: Path) -> Iterator[Machine]:
    """A fresh clone of that image."""
    with Machine.clone(ensure_template(other), directory=tmp_path / "machine") as machine:
        yield machine


def test_it_boots_to_the_agent(other: Image, guest: Machine) -> None:
    assert guest.hello.build_id.hex() == other.build_id
    release = guest.hello.release
    assert release.split(".")[:2] == other.name.partition("-")[2].split(".")
    assert guest.memory.size == other.memory_mib << 20
    assert other.memory_mib == (64 if other.name in LABS else 128)
    assert guest.agent.read_file("/proc/sysvipc/sem").startswith(b"       key      semid")


def test_modules_are_loaded_in_their_order(other: Image, guest: Machine) -> None:
    wanted = other.manifest["kernel"]["inputs"].get("modules", [])
    loaded = [line.split()[0] for line in guest.agent.read_file("/proc/modules").decode().splitlines()]
    # kernel/module/procfs.c lists the last one first.
    assert loaded == wanted[::-1]
    assert "not loaded" not in guest.console.text
    if other.name == "stock-6.1":
        assert set(wanted) >= {"virtio_ring", "virtio", "virtio_pci", "virtio_console"}
        assert wanted.index("virtio_ring") < wanted.index("virtio") < wanted.index("virtio_pci")
        # Their files are not kept in the guest's memory.
        with pytest.raises(GuestFileError):
            guest.agent.read_file("/modules/virtio.ko", limit=1)


def test_files_are_what_the_manifest_says(other: Image) -> None:
    for name, digest in other.manifest["outputs"].items():
        assert digest_file(other.directory / name) == digest, name


@pytest.mark.parametrize("name", LABS)
def test_a_lab_has_every_option_that_it_knows(name: str) -> None:
    image = built(name)
    assert image.config is not None
    assert read_elf_facts(image.kernel).build_id == image.build_id
    final = parse_config(image.config.read_text(), "config").options
    assert final["CONFIG_SLUB_DEBUG"] == "y"
    dropped = {
        option
        for fragment in load_recipe(name).kernel.read_fragments()
        for option, value in fragment.options.items()
        if final.get(option, "n") != value
    }
    assert dropped == {"lab-6.12": {"CONFIG_BASE_FULL"}, "lab-7.3": {"CONFIG_BASE_FULL", "CONFIG_PROC_SYSCTL"}}[name]
    assert advise(final, None).missing == ()
