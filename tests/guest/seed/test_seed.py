"""The seed's audit on the live kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.seed.audit import audit_chapter
from ktrace.seed.chapters import CHAPTERS, Chapter
from ktrace.verify.guests import traced_template
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.tracing.functions import FunctionTracer
from ktrace.verify.tracing.inlined_cache import inlined_functions


@pytest.fixture
def traced_lab(template: Template, image: Image, kernels: KernelCache, tmp_path: Path) -> Iterator[Lab]:
    with Machine.clone(traced_template(template), directory=tmp_path / "machine") as machine:
        yield Lab(machine, image.vmlinux, kernels)


WRONG = {
    "pipes": {"named pipes differ from others in that pipe_read() and pipe_write() must be called"},
    "system-v": {
        "ipcget_public() creates what it does not find if IPC_PRIVATE is set",
        "IPC objects may be swapped out",
    },
    "messages": {"each is 8192 bytes large", "msgctl() initialises a queue"},
}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter(chapter: Chapter, traced_lab: Lab, image: Image) -> None:
    inlined = inlined_functions(image.vmlinux, image.build_id)
    tracer = FunctionTracer(traced_lab.guest.agent, traced_lab.kernel, inlined)
    verdict = audit_chapter(chapter, traced_lab, tracer, inlined)
    assert verdict.differences == ()
    assert {tree.verdict for tree in verdict.trees} == {"right"}
    assert {claim.verdict for claim in verdict.claims} <= {"right", "aged", "wrong"}
    assert {claim.text for claim in verdict.claims if claim.verdict == "wrong"} == WRONG.get(chapter.name, set())
    # Linux 6.1 is the seed's kernel: no structure lacks anything, two members are of another type by now.
    others = {f"{item.struct}.{item.member}" for item in verdict.members if item.verdict != "present"}
    assert others <= {"pipe_inode_info.poll_usage", "idr.idr_rt"}
