"""Keep the steps of a trial as a session: what does not come again can only be looked into as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ktrace.fuzz.finding import Finding
from ktrace.fuzz.pool import Pool
from ktrace.image.image import Image
from ktrace.inspect.trace.clocks import read_clocks
from ktrace.machine.template.template import template_identity
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.session import End, Header, Verdict
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.lab import Lab
from ktrace.version import VERSION


class Record:
    """Remember what was seen in one guest; written to a file only where there is reason to.

    :param lab: nothing has happened in it yet
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.initial: World = lab.look()
        self._addresses: Mapping[Ref, int] = lab.fresh
        self._steps: list[Step] = []

    @property
    def steps(self) -> Sequence[Step]:
        """What was seen, in order."""
        return self._steps

    def add(self, step: Step) -> None:
        """Take one step."""
        self._steps.append(step)

    def write(self, directory: Path, manifest: Mapping[str, Any], finding: Finding) -> None:
        """Write a session that ends with *finding*.

        :param directory: gets its file
        :raises HostError: it cannot be written
        """
        title = f"{finding.call}: {min(finding.kinds)}"
        clocks = read_clocks(self._lab.kernel)
        with SessionWriter(directory) as writer:
            writer.header(Header(title, self._lab.facts, manifest, self.initial, clocks, self._addresses))
            for step in self._steps:
                writer.step(step)
            number = len(self._steps)
            writer.verdict(Verdict(number, (), (), tuple(finding.text.splitlines())))
            writer.end(End("diverged", number, 0, 0))


def keep_record(record: Record, pool: Pool, image: Image, release: str, finding: Finding) -> Path:
    """Write *record* below the scratch directory of *pool*, and return the session's directory.

    :raises HostError: it cannot be written
    """
    spec = pool.template.spec
    manifest = {
        "ktrace": VERSION,
        "image": image.name,
        "build_id": image.build_id,
        "release": release,
        "accelerator": spec.accel,
        "memory_mib": spec.memory_mib,
        "template": template_identity(pool.template),
        "functions": False,
    }
    directory = Path(mkdtemp(prefix="session-", dir=pool.scratch))
    record.write(directory, manifest, finding)
    return directory
