"""A guest at rest: its RAM and its devices' state in a directory, to be cloned from."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ktrace.errors import HostError
from ktrace.machine.spec import GuestSpec

FORMAT = 3
_PIECE = 1 << 20
_NOT_WHOLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


class DamagedTemplate(HostError):
    """A template is not as it was written.

    :param why: what of it
    """

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(f"no usable template in {str(directory)!r}: {why}", "remove that directory")
        self.why = why


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
        """Write the description, with the sums of everything; done last, it makes the template whole.

        :raises OSError: it cannot be written
        """
        facts = {
            "format": FORMAT,
            **asdict(self.spec),
            "extents": self.extents,
            **({} if self.base is None else {"base": str(self.base.directory), "base_sums": read_sums(self.base)}),
            "sums": self._sums(),
        }
        partial = self.directory / ".template.json"
        partial.write_text(json.dumps({**facts, "own_sum": _own_sum(facts)}) + "\n")
        os.replace(partial, self.directory / "template.json")

    def check(self) -> None:
        """See that every bit is as it was written (12 ms for 33 MB, on two processors).

        A CRC finds any byte that has changed: nobody is to be kept from changing it on purpose.

        :raises DamagedTemplate: it is not
        """
        try:
            facts = _read(self.directory)
            for part, found in self._sums().items():
                if found != facts["sums"][part]:
                    raise ValueError(f"its {part} is not as it was written")
            if self.base is not None:
                if read_sums(self.base) != facts["base_sums"]:
                    raise ValueError("what it was saved against was made anew since")
                self.base.check()
        except _NOT_WHOLE as error:
            raise _damaged(self.directory, error) from error

    def _sums(self) -> dict[str, int]:
        return {
            "ram": self._sum_of_ram(),
            "state": zlib.crc32(self.state.read_bytes()),
            "console": zlib.crc32(self.console.read_bytes()) if self.console.exists() else 0,
        }

    def _sum_of_ram(self) -> int:
        """Return the sum of the sums of all pieces, which are taken on all processors."""
        with self.ram.open("rb", buffering=0) as ram, ThreadPoolExecutor(os.cpu_count()) as pool:
            sums = pool.map(partial(_sum_of_piece, ram.fileno()), _pieces(self.extents))
            return zlib.crc32(b"".join(value.to_bytes(4, "little") for value in sums))


def _pieces(extents: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, length in extents:
        for at in range(start, start + length, _PIECE):
            yield at, min(_PIECE, start + length - at)


def _sum_of_piece(descriptor: int, piece: tuple[int, int]) -> int:
    at, length = piece
    data = os.pread(descriptor, length, at)
    if len(data) != length:
        raise ValueError("its ram is too short")
    return zlib.crc32(data)


def read_sums(template: Template) -> dict[str, int]:
    """Return the sums that *template* was written with: they tell it from one that was made later from the same.

    :raises DamagedTemplate: it is not there
    """
    try:
        return {str(part): int(value) for part, value in _read(template.directory)["sums"].items()}
    except _NOT_WHOLE as error:
        raise _damaged(template.directory, error) from error


def template_identity(template: Template) -> str:
    """Name *template*, and this very making of it, as sessions note it."""
    return f"{template.directory.name}/{'-'.join(f'{value:08x}' for value in read_sums(template).values())}"


def open_template(directory: Path) -> Template:
    """Open what :meth:`Machine.checkpoint` left in *directory*.

    :raises DamagedTemplate: it is not whole, or not as it was written
    """
    template = _described(directory)
    template.check()
    return template


def _described(directory: Path) -> Template:
    try:
        facts = _read(directory)
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
            base=_described(Path(facts["base"])) if "base" in facts else None,
        )
        if template.ram.stat().st_size != template.spec.memory_bytes or not template.state.stat().st_size:
            raise ValueError("its files have the wrong size")
    except _NOT_WHOLE as error:
        raise _damaged(directory, error) from error
    return template


def _read(directory: Path) -> dict[str, Any]:
    """Read the description.

    :raises ValueError: it is not as it was written
    """
    facts = json.loads((directory / "template.json").read_text())
    if facts["format"] != FORMAT:
        raise ValueError(f"format {facts['format']!r}")
    if facts.pop("own_sum") != _own_sum(facts):
        raise ValueError("its description is not as it was written")
    return dict(facts)


def _own_sum(facts: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(facts, sort_keys=True).encode())


def _damaged(directory: Path, error: Exception) -> DamagedTemplate:
    if isinstance(error, OSError) and error.filename:
        return DamagedTemplate(directory, f"{Path(error.filename).name}: {error.strerror}")
    return DamagedTemplate(directory, str(error))
