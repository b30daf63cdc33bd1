"""Templates are made once, whole or not at all; the accelerator is found by trying."""

from __future__ import annotations

import shutil
from dataclasses import replace
from os import SEEK_CUR
from pathlib import Path

import pytest

from ktrace.errors import HostError
from ktrace.image.image import Image
from ktrace.image.prune import prune_store
from ktrace.image.store import open_store
from ktrace.machine.accel import TCG
from ktrace.machine.find_accel import REMEMBERED, find_accelerator
from ktrace.machine.machine import Machine
from ktrace.machine.template.make import ensure_template, template_key
from ktrace.machine.template.prepared import prepared_template
from ktrace.machine.template.template import Template


def test_a_template_is_made_once(image: Image, tmp_path: Path) -> None:
    store = open_store(tmp_path / "cache")
    boots: list[int] = []
    first = ensure_template(image, accel=TCG, store=store, booting=lambda: boots.append(1))
    second = ensure_template(image, accel=TCG, store=store, booting=lambda: boots.append(1))
    assert first == second
    assert len(boots) == 1
    assert first.directory.stat().st_mode & 0o777 == 0o700
    with Machine.clone(second, directory=tmp_path / "machine") as machine:
        assert machine.template == first


@pytest.mark.parametrize("damage", ["ram", "state"])
def test_a_damaged_template_is_made_anew(image: Image, template: Template, tmp_path: Path, damage: str) -> None:
    """A kept one is copied for that: the boot that mends it is the only one here."""
    store = open_store(tmp_path / "cache")
    (store.root / "templates").mkdir()
    place = store.entry("templates", template.directory.name)
    shutil.copytree(template.directory, place)
    told: list[str] = []
    assert ensure_template(image, store=store, damaged=told.append).directory == place
    assert not told
    (place / damage).chmod(0o600)
    with (place / damage).open("r+b") as file:
        file.seek(21 << 20 if damage == "ram" else 60)
        byte = file.read(1)[0]
        file.seek(-1, SEEK_CUR)
        file.write(bytes([byte ^ 4]))
    mended = ensure_template(image, store=store, damaged=told.append)
    assert len(told) == 1
    with Machine.clone(mended, directory=tmp_path / "machine") as machine:
        assert machine.hello.build_id.hex() == image.build_id


def test_a_prepared_template_belongs_to_its_image(image: Image, template: Template, tmp_path: Path) -> None:
    """It is kept as long as that is, when the store is pruned."""
    store = open_store(tmp_path / "cache")
    prepared = prepared_template(template, [("/proc/sys/kernel/panic", "5\n")], store=store)
    store.write_ref(image.name, {"image": image.key})
    assert prune_store(store) == []
    assert prepared_template(template, [("/proc/sys/kernel/panic", "5\n")], store=store) == prepared
    with Machine.clone(prepared, directory=tmp_path / "machine") as machine:
        assert machine.agent.read_file("/proc/sys/kernel/panic") == b"5\n"
    store.write_ref(image.name, {"image": "another"})
    assert [entry.path.name for entry in prune_store(store)] == [prepared.directory.name]


def test_a_template_that_is_cut_off_leaves_nothing(image: Image, tmp_path: Path) -> None:
    store = open_store(tmp_path / "cache")

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_template(image, accel=TCG, store=store, booting=interrupt)
    assert list((store.root / "templates").iterdir()) == []
    assert list((store.root / "tmp").iterdir()) == []


def test_a_template_belongs_to_its_image_memory_and_accelerator(image: Image) -> None:
    key = template_key(image, TCG)
    assert key == template_key(image, TCG)
    assert key != template_key(replace(image, key="other"), TCG)
    assert key != template_key(image, TCG, memory_mib=128)
    assert key != template_key(image, replace(TCG, name="kvm"))
    assert key == template_key(image, replace(TCG, reason="another"))


def test_more_memory(image: Image, tmp_path: Path) -> None:
    template = ensure_template(image, accel=TCG, store=open_store(tmp_path / "cache"), memory_mib=128)
    with Machine.clone(template, directory=tmp_path / "machine") as machine:
        assert machine.memory.size == 128 << 20
        assert b"MemTotal:         1" in machine.agent.read_file("/proc/meminfo")


def test_the_accelerator_is_tried_once_and_remembered(image: Image, tmp_path: Path) -> None:
    store = open_store(tmp_path / "cache")
    tries: list[int] = []
    found = find_accelerator(image, store=store, trying=lambda: tries.append(1))
    assert found.name in ("kvm", "tcg")
    assert found.reason
    again = find_accelerator(image, store=store, trying=lambda: tries.append(1))
    assert again == found
    assert len(tries) == (1 if (store.root / REMEMBERED).exists() else 0)


def test_a_store_that_cannot_hold_templates(image: Image, tmp_path: Path) -> None:
    store = open_store(tmp_path / "cache")
    (store.root / "templates").write_text("in the way")
    with pytest.raises(HostError, match="templates"):
        ensure_template(image, accel=TCG, store=store)
