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
from ktrace.machine.template.template import Template, open_template


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
