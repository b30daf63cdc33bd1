"""A matrix as a table: a row for each workload, a column for each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from ktrace.report.untrusted import one_line
from ktrace.verify.matrix.cell import NOT_THERE, CellVerdict

_STYLES = {"agreed": "green", "diverged": "bold red", NOT_THERE: "dim"}
_OTHERS = "yellow"
_SHOWN = 3


def matrix_table(workloads: Sequence[str], images: Sequence[str], verdicts: Sequence[CellVerdict]) -> Table:
    """Return the table; what was not done yet is left empty."""
    cells = {(verdict.workload, verdict.image): verdict for verdict in verdicts}
    releases = {verdict.image: verdict.release for verdict in verdicts if verdict.release}
    table = Table(box=None, pad_edge=False)
    table.add_column("workload", no_wrap=True)
    for image in images:
        heading = Text(f"{one_line(image)}\n")
        heading.append(one_line(releases.get(image, "")), "dim")
        table.add_column(heading, no_wrap=True)
    for workload in workloads:
        table.add_row(Text(one_line(workload)), *(_cell(cells.get((workload, image))) for image in images))
    return table


def _cell(verdict: CellVerdict | None) -> Text:
    if verdict is None:
        return Text("")
    counted = {"agreed": f" {verdict.steps}", "diverged": f" at {verdict.steps}"}.get(verdict.status, "")
    return Text(f"{verdict.status}{counted}", _STYLES.get(verdict.status, _OTHERS))


def reasons(verdicts: Sequence[CellVerdict]) -> Iterator[str]:
    """Yield why cells did not agree, the same for several workloads of an image in one line."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for verdict in verdicts:
        if verdict.message:
            found.setdefault((verdict.image, verdict.status, verdict.message), []).append(verdict.workload)
    for (image, status, message), workloads in found.items():
        more = len(workloads) - _SHOWN
        names = ", ".join(workloads[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        yield f"{names} on {image}: {status}: {message}"
