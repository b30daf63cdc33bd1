"""Write docs/kernels.md: what changed between kernels, from the changes that the model knows and recordings of each."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache

from ktrace.state.change import Change
from ktrace.state.changes import Changes, changes
from ktrace.workload.format import format_step
from ktrace.workload.library import bundled, directory, load
from ktrace.workload.script import Repeat, Step

KERNELS = ("lab-6.1", "lab-6.12", "lab-7.3")
AREAS = {
    "pipe": "Pipes, FIFOs, splice",
    "ipc": "System V IPC",
    "socket": "Sockets",
    "file": "Files and descriptors",
    "structures": "Structures, which no program sees",
    "ways": "Ways through the kernel, which no program sees",
}

_HEAD = """\
# What changed between kernels

What users of pipes, System V IPC and sockets see differently on Linux 6.1, 6.12 and 7.3, as far as ktrace's model
knows it: each line is a rule of the model (`ktrace/state/changes.py`), which workloads put to the test on each kernel.
This page is written by `scripts/kernels-page`; a test holds it against the rules, the workloads and the recordings.

A kernel is never asked for its version. *told by* says what of it is looked at; **yes** and no are what was read of
the recorded kernels (`traces/recorded/`). *since* is the release, with the commit that brought it where
that is known, else the two between which it came: of those without one none was found in what is stored of the
kernel's history.
"""

_MIDDLE = """\
## Where each comes from

| word | function | told by |
|---|---|---|
"""

_TAIL = """\

The words may stand in annotations: [annotations.md](annotations.md). Bugs of kernels that were found on the way are
described in [kernel-bugs/](kernel-bugs/README.md); a step that shows one says `known bug NAME`.
"""


def kernels_page(recorded: Mapping[str, Changes]) -> str:
    """Return the page.

    :param recorded: what was read of each of ``KERNELS``
    """
    lines = [_HEAD]
    known = list(changes())
    for area, title in AREAS.items():
        rows = [(name, change) for name, change in known if change.area == area]
        lines += [f"## {title}", "", f"| what is so | before | since | {' | '.join(KERNELS)} | shown by | word |"]
        lines.append("|---|---|---|" + "---|" * len(KERNELS) + "---|---|")
        for name, change in rows:
            has = [_yes(getattr(recorded[kernel], name)) for kernel in KERNELS]
            cells = [change.what, change.before, change.since, *has, _shown(name, change), f"`{name}`"]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    lines.append(_MIDDLE.rstrip("\n"))
    lines += [f"| `{name}` | {change.citation} | {change.told} |" for name, change in known]
    return "\n".join(lines) + "\n" + _TAIL


def read_recorded() -> dict[str, Changes]:
    """Return what was read of each kernel when its traces were recorded; of 6.1, before that was read, nothing."""
    found = {"lab-6.1": Changes()}
    for kernel in KERNELS[1:]:
        first = min((directory() / "recorded" / kernel).glob("*.gz"))
        with gzip.open(first, "rt", encoding="utf-8") as lines:
            facts = json.loads(next(lines))["facts"]["changes"]
        found[kernel] = Changes(**{item.name: facts[item.name] for item in fields(Changes)})
    return found


def steps_that_show(name: str) -> list[str]:
    """Return the steps of bundled workloads whose annotation depends on the change *name*: workload and call."""
    return [f"{workload}: `{call}`" for workload, call, names in _conditional_steps() if name in names]


@cache
def _conditional_steps() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Return every step of bundled workloads whose annotation depends on something: workload, call, on what."""
    found = []
    for workload in bundled():
        for step in each_step(load(workload).steps):
            alternatives = [one for item in step.expectations for one in item.alternatives()]
            names = {name for one in alternatives if one.condition for name, _ in one.condition.terms}
            if names:
                call = format_step(replace(step, expectations=(), remark=""))
                found.append((workload, call, frozenset(names)))
    return tuple(found)


def each_step(items: Iterable[Step | Repeat]) -> Iterator[Step]:
    """Yield every step as it is written, those that are repeated or made on some kernels only as well."""
    for item in items:
        if isinstance(item, Step):
            yield item
        else:
            yield from each_step(item.steps)


def _shown(name: str, change: Change) -> str:
    steps = steps_that_show(name)
    return steps[0] if steps else change.shown


def _yes(has: bool | None) -> str:
    return "?" if has is None else "**yes**" if has else "no"
