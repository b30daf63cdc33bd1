"""Where what a guest is made of is damaged, the kernel is not blamed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import GuestError, HostError
from ktrace.image.image import Image
from ktrace.machine.template.template import Template
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.guests import Guests
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.sessions import run_session
from ktrace.workload import parse_script
from tests.sinks import Record

WRONG = "## wrong: an annotation that is not true\nA: getpid()    # 1\n"


@pytest.fixture
def kept(template: Template, tmp_path: Path) -> Template:
    """A copy that may be damaged."""
    shutil.copytree(template.directory, tmp_path / "template")
    return replace(template, directory=tmp_path / "template")


def _damage(path: Path) -> None:
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(10)
        byte = file.read(1)[0]
        file.seek(10)
        file.write(bytes([byte ^ 4]))


def test_a_divergence_is_told_only_of_a_guest_that_was_whole(image: Image, kept: Template, tmp_path: Path) -> None:
    guests = Guests(image, kept, GuestOptions(), {})
    whole, damaged = Record(), Record()
    assert run_session(guests, parse_script(WRONG), whole, SessionOptions(tmp_path / "whole")).status == "diverged"
    assert len(whole.verdicts) == 1
    _damage(kept.console)  # which no guest feels
    with pytest.raises(HostError, match=r"its console is not as it was written; .* says nothing of the kernel"):
        run_session(guests, parse_script(WRONG), damaged, SessionOptions(tmp_path / "damaged"))
    assert not damaged.verdicts
    reader = SessionReader(tmp_path / "damaged")
    assert [type(event).__name__ for event in reader.events()][-1] == "End"


def test_a_guest_that_fails_was_whole(image: Image, kept: Template, tmp_path: Path) -> None:
    guests = Guests(image, kept, GuestOptions(), {})
    with pytest.raises(GuestError, match="as it should"), guests.lab(tmp_path / "whole"):
        raise GuestError("as it should")
    (tmp_path / "image").mkdir()
    for name in ("kernel", "vmlinux", "initramfs", "config"):
        shutil.copyfile(image.directory / name, tmp_path / "image" / name)
    copied = replace(image, directory=tmp_path / "image")
    guests = Guests(copied, kept, GuestOptions(), {})
    _damage(tmp_path / "image" / "vmlinux")
    with pytest.raises(HostError, match=r"image 'lab-6.1' is damaged: vmlinux in"), guests.lab(tmp_path / "damaged"):
        raise GuestError("as it should")
