"""A hunt goes on behind what is the model's fault and what does not come again, and finds what the kernel does wrong.

Kernel and model are broken on purpose, and the hunt makes calls that are written down: nothing here is left to chance.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.fuzz import campaign
from ktrace.fuzz.campaign import Campaign, Plan, Report
from ktrace.fuzz.judgement import Judgement
from ktrace.fuzz.pool import Pool
from ktrace.fuzz.shrink import Replay
from ktrace.fuzz.sound import SoundKernel
from ktrace.fuzz.trial import Done
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe_ops import PipeFileOperations
from ktrace.model.task import Task
from ktrace.uapi.errno import ENOTTY
from ktrace.verify.guests import prepare_guests
from ktrace.verify.options import GuestOptions
from tests.guest.poke import address_of, put_code

SPAWN, PIPE = (None, make_call("spawn", "A", {})), ("A", make_call("pipe2", 0))
CLOSES = (SPAWN, PIPE, ("A", make_call("close", 0)))
"""What shows the model's fault below."""
ASKS = (SPAWN, PIPE, ("A", make_call("ioctl", 0, 0x541B, 0)))
"""Makes pipe_ioctl() say how many bytes there are (FIONREAD): the broken kernel knows nothing of that."""
ASKS_NONSENSE = (SPAWN, PIPE, ("A", make_call("ioctl", 0, 0x1234, 0)))
"""Likewise what pipe_ioctl() does not know: sound and broken kernels answer the same."""

REFUSES = b"\xb8" + struct.pack("<i", -ENOTTY) + b"\xc3"  # mov $-ENOTTY, %eax; ret


def warns(image: Image) -> bytes:
    """Return code for pipe_ioctl() that has the kernel complain of a reference count, and refuses."""
    start = b"\x48\x83\xec\x08\x48\x89\xe7\xbe\x03\x00\x00\x00"  # sub $8, %rsp; mov %rsp, %rdi; mov $3, %esi
    after = address_of(image, "pipe_ioctl") + len(start) + 5
    call = b"\xe8" + struct.pack("<i", address_of(image, "refcount_warn_saturate") - after)
    return start + call + b"\x48\x83\xc4\x08" + REFUSES  # add $8, %rsp


class Hurt(Pool):
    """Guests of which some are broken.

    :ivar hurt: does it to the guest of a number, counted from 0
    """

    hurt: Callable[[int, Machine], None]

    def __init__(self, template: Template, scratch: Path, hurt: Callable[[int, Machine], None]) -> None:
        super().__init__(template, scratch)
        self.hurt = hurt
        self._numbers = count()

    @contextmanager
    def guest(self) -> Iterator[Machine]:
        """Yield the next one."""
        with super().guest() as machine:
            self.hurt(next(self._numbers), machine)
            yield machine


@pytest.fixture
def wrong_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the model count a reader too many at the end of a pipe's file."""
    sound = PipeFileOperations.release

    def wrong(self: PipeFileOperations, task: Task, file: File) -> Any:
        file.private.r_counter += 1
        return sound(self, task, file)

    monkeypatch.setattr(PipeFileOperations, "release", wrong)


def hunt(
    monkeypatch: pytest.MonkeyPatch,
    pool: Pool,
    image: Image,
    sequences: list[tuple[Any, ...]],
    sound: SoundKernel | None = None,
) -> Report:
    """Make *sequences*, one after the other, and end with the last or at a divergence."""
    left = iter(sequences)

    def planned(*_: object) -> Replay:
        return Replay([Done(actor, call) for actor, call in next(left)])

    monkeypatch.setattr(campaign, "Planner", planned)
    steps = sum(map(len, sequences))
    return Campaign(Plan(("pipe", "inet"), 0, 1, steps, None), image, pool, lambda _: None, sound=sound).run()


@pytest.mark.usefixtures("wrong_model")
def test_a_fault_of_the_model_does_not_hide_a_broken_kernel(
    template: Template, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "sound"
    place.mkdir()
    sound = SoundKernel(lambda: prepare_guests(GuestOptions(image.name)), place)
    broken = Hurt(template, tmp_path, lambda _, machine: put_code(machine, image, "pipe_ioctl", REFUSES))
    with broken, sound:
        report = hunt(monkeypatch, broken, image, [CLOSES, CLOSES, ASKS, CLOSES], sound)
    assert [found.judgement for found in report.found] == [Judgement.SOUND, Judgement.DIVERGENCE]
    assert report.repeated == Counter({Judgement.SOUND: 1})
    model, kernel = (found.trial.finding for found in report.found)
    assert model is not None and "pipe.r_counter" in model.kinds
    assert kernel is not None and kernel.call == "ioctl" and "ENOTTY" in kernel.text
    assert report.sequences == 3, "the hunt ends at what only the broken kernel does"


@pytest.mark.usefixtures("wrong_model")
def test_without_a_sound_kernel_beside_it_the_fault_of_the_model_ends_the_hunt(
    template: Template, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Hurt(template, tmp_path, lambda _, machine: put_code(machine, image, "pipe_ioctl", REFUSES))
    with broken:
        report = hunt(monkeypatch, broken, image, [CLOSES, ASKS])
    assert [found.judgement for found in report.found] == [Judgement.DIVERGENCE]
    assert report.sequences == 1


def test_a_warning_that_does_not_come_again_is_unsteady(
    template: Template, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(number: int, machine: Machine) -> None:
        if number == 0:
            put_code(machine, image, "pipe_ioctl", warns(image))

    with Hurt(template, tmp_path, once) as pool:
        report = hunt(monkeypatch, pool, image, [ASKS_NONSENSE, ASKS_NONSENSE])
        (found,) = report.found
        assert found.judgement is Judgement.UNSTEADY
        assert found.trial.finding is not None
        assert found.trial.finding.kinds == {"console: WARNING: "}
        assert found.trial.finding.text.startswith("WARNING: ")
        assert found.trial.session is not None and (found.trial.session / "session.jsonl").is_file()
        assert report.sequences == 2, "the hunt goes on"


def test_a_warning_that_comes_each_time_is_a_divergence(
    template: Template, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = warns(image)
    with Hurt(template, tmp_path, lambda _, machine: put_code(machine, image, "pipe_ioctl", code)) as pool:
        report = hunt(monkeypatch, pool, image, [ASKS_NONSENSE, ASKS_NONSENSE])
    (found,) = report.found
    assert (found.judgement, report.sequences) == (Judgement.DIVERGENCE, 1)
    assert found.trial.finding is not None
    assert found.trial.finding.kinds == {"console: WARNING: "}
    assert [done.call.name for done in found.trial.actions] == ["spawn", "pipe2", "ioctl"]
