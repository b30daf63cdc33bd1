"""Workloads on images, one verdict each: what is done already is not done again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ktrace.errors import KtraceError, UsageError
from ktrace.image.image import find_image
from ktrace.image.store import open_store
from ktrace.verify.matrix.cell import Cell, CellTask, CellVerdict
from ktrace.verify.matrix.kept import Kept, identity_of
from ktrace.verify.matrix.workers import Workers
from ktrace.verify.notify import Notify, silent
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.paths import paths_file
from ktrace.workload.library import SUFFIX, load
from ktrace.workload.script import Script


@dataclass(frozen=True)
class MatrixOptions:
    """What a matrix is asked for.

    :param workloads: bundled ones by name, scripts by path
    :param images: names of images
    :param directory: where its sessions and verdicts are, and those of a run before
    :param jobs: how many guests are at work at a time
    :param again: do again what did not agree
    :raises UsageError: there is nothing to do
    """

    workloads: tuple[str, ...]
    images: tuple[str, ...]
    directory: Path
    guest: GuestOptions = field(default_factory=GuestOptions)
    session: SessionOptions = field(default_factory=SessionOptions)
    jobs: int = 1
    again: bool = False

    def __post_init__(self) -> None:
        if not self.images:
            raise UsageError("no image is in the store", "build one: ktrace image build lab-6.1")
        if not self.workloads:
            raise UsageError("which workload?", "see: ktrace run --list")


def run_matrix(options: MatrixOptions, notify: Notify = silent) -> Iterator[tuple[CellVerdict, bool]]:
    """Yield what became of every cell, and whether it was so before: those first, then each as it is done.

    :raises UsageError: a workload cannot be read, an image is not known, or the directory has something else in it
    :raises HostError: the directory cannot be written
    """
    scripts = {name: load(name) for name in options.workloads}
    kept = Kept(options.directory)
    with kept.opened():
        keys = {image: _key(image) for image in options.images}
        identities: dict[Cell, dict[str, Any]] = {}
        tasks: list[CellTask] = []
        for cell in cells(scripts, options.images):
            identity = identity_of(
                keys[cell.image], scripts[cell.workload], options.guest.functions, paths_file(cell.workload)
            )
            known = kept.read(cell, identity) if keys[cell.image] else None
            if known is not None and not (options.again and known.exit_code):
                yield known, True
                continue
            identities[cell] = identity
            tasks.append(CellTask(cell, scripts[cell.workload], str(kept.begin(cell))))
        with Workers(options.guest, options.session, options.jobs, notify) as workers:
            for task, verdict in workers.fill(tasks):
                kept.write(task.cell, identities[task.cell], verdict)
                yield verdict, False


def cells(scripts: Mapping[str, Script], images: Sequence[str]) -> Iterator[Cell]:
    """Yield the cells of a matrix, image by image."""
    for image in images:
        for workload, script in scripts.items():
            yield Cell(workload, image, place_of(workload, script.name))


def place_of(workload: str, name: str) -> str:
    """Return the directory's name for a workload: a script of somebody's own is told from others by where it lies."""
    if "/" not in workload and not workload.endswith(SUFFIX):
        return workload
    where = hashlib.sha256(os.path.realpath(workload).encode()).hexdigest()[:8]
    return f"{name or Path(workload).stem}-{where}"


def images_in_store() -> tuple[str, ...]:
    """Return the names of all images that can be booted."""
    found = []
    for name in open_store().ref_names():
        try:
            find_image(name)
        except KtraceError:
            continue
        found.append(name)
    return tuple(sorted(found))


def _key(image: str) -> str:
    """Return the digest that names an image in the store; empty where it is not to be had.

    :raises UsageError: there is none of that name
    """
    try:
        return find_image(image).key
    except UsageError:
        raise
    except KtraceError:
        return ""


@dataclass(frozen=True)
class Summary:
    """All verdicts of a matrix, counted.

    :param before: how many of *total* were there already, *left*: how many were not done
    :param others: how many there are of each status that is not ``agreed``
    """

    total: int
    agreed: int
    left: int
    before: int
    others: Mapping[str, int]
    steps: int
    fields: int

    @property
    def text(self) -> str:
        """One line that says it."""
        parts = [f"{self.agreed} of {self.total} agreed", *(f"{count} {name}" for name, count in self.others.items())]
        if self.left:
            parts.append(f"{self.left} not done yet")
        if self.before:
            parts.append(f"{self.before} of them from before")
        return f"{', '.join(parts)}: {self.steps} steps, {self.fields} fields compared"


def summarize(verdicts: Sequence[tuple[CellVerdict, bool]], total: int) -> Summary:
    """Count *verdicts*, of *total* that there are to be."""
    others: dict[str, int] = {}
    for verdict, _ in verdicts:
        if verdict.status != "agreed":
            others[verdict.status] = others.get(verdict.status, 0) + 1
    return Summary(
        total,
        sum(verdict.status == "agreed" for verdict, _ in verdicts),
        total - len(verdicts),
        sum(before for _, before in verdicts),
        dict(sorted(others.items())),
        sum(verdict.steps for verdict, _ in verdicts),
        sum(verdict.fields for verdict, _ in verdicts),
    )
