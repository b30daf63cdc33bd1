"""Templates on disk, and what is remembered about accelerators."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ktrace.errors import HostError, UsageError
from ktrace.machine.accel import Accelerator, kvm_obstacle, named_accelerator, recall
from ktrace.machine.clock import tsc_khz
from ktrace.machine.identity import check_build_id
from ktrace.machine.spec import GuestSpec
from ktrace.machine.template.template import DamagedTemplate, Template, open_template, template_identity


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """A whole template of 1 MiB."""
    made = Template(tmp_path, GuestSpec("lab", "abcd", "microvm", "tcg", 1), ((0, 4096), (8192, 4096)))
    made.ram.write_bytes(bytes(1 << 20))
    made.state.write_bytes(b"state")
    made.write()
    return made


def test_a_template_is_opened_as_it_was_written(template: Template) -> None:
    assert open_template(template.directory) == template


@pytest.mark.parametrize("damage", ["gone", "no json", "other format", "short ram", "empty state", "no ram"])
def test_a_template_that_is_not_whole(template: Template, damage: str) -> None:
    description = template.directory / "template.json"
    if damage == "gone":
        description.unlink()
    elif damage == "no json":
        description.write_text("{")
    elif damage == "other format":
        description.write_text(json.dumps({**json.loads(description.read_text()), "format": 99}))
    elif damage == "short ram":
        template.ram.write_bytes(b"")
    elif damage == "empty state":
        template.state.write_bytes(b"")
    else:
        template.ram.unlink()
    with pytest.raises(HostError, match="no usable template"):
        open_template(template.directory)


def _flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "offset", "why"),
    [
        ("ram", 0, "its ram is not as it was written"),
        ("ram", 12287, "its ram is not as it was written"),
        ("state", 4, "its state is not as it was written"),
        ("console.log", 2, "its console is not as it was written"),
    ],
)
def test_one_bit_that_is_not_as_it_was_written(template: Template, name: str, offset: int, why: str) -> None:
    template.console.write_bytes(b"hello")
    template.write()
    _flip(template.directory / name, offset)
    with pytest.raises(DamagedTemplate) as caught:
        open_template(template.directory)
    assert caught.value.why == why


def test_every_bit_of_the_description_counts(template: Template) -> None:
    description = template.directory / "template.json"
    whole = description.read_bytes()
    for offset in range(len(whole) - 1):  # the last is a newline
        _flip(description, offset)
        with pytest.raises(DamagedTemplate):
            open_template(template.directory)
        description.write_bytes(whole)


def test_bytes_that_no_clone_gets_do_not_matter(template: Template) -> None:
    _flip(template.ram, 5000)
    assert open_template(template.directory) == template


def test_what_was_saved_against_a_template_needs_that_very_one(template: Template, tmp_path: Path) -> None:
    place = tmp_path / "checkpoint"
    place.mkdir()
    saved = Template(place, template.spec, ((4096, 4096),), template)
    saved.ram.write_bytes(bytes(1 << 20))
    saved.state.write_bytes(b"state")
    saved.write()
    assert open_template(place) == saved
    before = template_identity(template)
    template.state.write_bytes(b"other")
    with pytest.raises(DamagedTemplate, match="its state is not as it was written"):
        open_template(place)
    template.write()
    with pytest.raises(DamagedTemplate, match="was made anew since"):
        open_template(place)
    assert template_identity(template) != before


def test_what_was_found_is_recalled_only_on_the_same_machine(tmp_path: Path) -> None:
    path = tmp_path / "accelerator.json"
    assert recall(path, "here") is None
    path.write_text(json.dumps({"here": {"name": "tcg", "reason": "tried"}}))
    assert recall(path, "here") == Accelerator("tcg", "tried")
    assert recall(path, "elsewhere") is None
    path.write_text("[]")
    assert recall(path, "here") is None


def test_accelerators_by_name() -> None:
    assert named_accelerator("kvm").name == "kvm"
    with pytest.raises(HostError, match="no accelerator 'xen'"):
        named_accelerator("xen")


def test_obstacles_to_kvm_that_a_look_tells(tmp_path: Path) -> None:
    assert "no /" in str(kvm_obstacle(tmp_path / "kvm"))
    assert kvm_obstacle(Path("/dev/null")) is None


def test_build_ids_must_agree() -> None:
    check_build_id(b"\xab\xcd", "lab", "ABCD")
    for running in (b"\xab\xce", b""):
        with pytest.raises(UsageError, match=r"image 'lab' runs a kernel with build-id (abce|unknown), .* has abcd"):
            check_build_id(running, "lab", "abcd")


def test_the_counter_is_measured() -> None:
    khz = tsc_khz()
    assert khz is None or 100_000 < khz < 20_000_000
