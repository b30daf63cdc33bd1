"""A guest at rest: its RAM and its devices' state in a directory, to be cloned from."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ktrace.errors import HostError
from ktrace.machine.spec import GuestSpec

FORMAT = 1


@dataclass(frozen=True)
class Template:
    """A guest that can be continued any number of times.

    :param directory: holds ``ram``, ``state``, ``console.log`` and ``template.json``
    :param spec: what it is made of; clones are made of the same
    :param extents: the parts of ``ram`` that hold anything, (address, bytes)
    :param base: what the rest of RAM is as in; ``None``: it is zero
    """

    directory: Path
    spec: GuestSpec
    extents: tuple[tuple[int, int], ...]
    base: Template | None = None

    @property
    def ram(self) -> Path:
        """File with the RAM, sparse."""
        return self.directory / "ram"

    @property
    def state(self) -> Path:
        """File with the devices' state, as QEMU's migration writes it."""
        return self.directory / "state"

    @property
    def console(self) -> Path:
        """File with what the guest had printed."""
        return self.directory / "console.log"

    def write(self) -> None:
        """Write the description; done last, it makes the template whole.

        :raises OSError: it cannot be written
        """
        facts = {
            "format": FORMAT,
            **asdict(self.spec),
            "extents": self.extents,
            **({} if self.base is None else {"base": str(self.base.directory)}),
        }
        partial = self.directory / ".template.json"
        partial.write_text(json.dumps(facts) + "\n")
        os.replace(partial, self.directory / "template.json")


def open_template(directory: Path) -> Template:
    """Open what :meth:`Machine.checkpoint` left in *directory*.

    :raises HostError: it is not whole
    """
    try:
        facts = json.loads((directory / "template.json").read_text())
        if facts["format"] != FORMAT:
            raise ValueError(f"format {facts['format']!r}")
        template = Template(
            directory=directory,
            spec=GuestSpec(
                image=str(facts["image"]),
                build_id=str(facts["build_id"]),
                board=str(facts["board"]),
                accel=str(facts["accel"]),
                memory_mib=int(facts["memory_mib"]),
            ),
            extents=tuple((int(start), int(length)) for start, length in facts["extents"]),
            base=open_template(Path(facts["base"])) if "base" in facts else None,
        )
        if template.ram.stat().st_size != template.spec.memory_bytes or not template.state.stat().st_size:
            raise ValueError("its files have the wrong size")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(f"no usable template in {str(directory)!r}: {error}", "remove that directory") from error
    return template
