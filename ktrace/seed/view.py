"""The audit of the seed as text: a block a chapter."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from rich.console import Console
from rich.text import Text

from ktrace.seed.audit import ChapterVerdict
from ktrace.seed.members import MemberVerdict

_STYLES = {"present": "green", "right": "green", "aged": "yellow", "other type": "yellow", "not listed": "yellow"}
_WIDTH = 10


def print_chapter(console: Console, chapter: ChapterVerdict, number: int, verbose: bool = False) -> None:
    """Print one chapter.

    :param verbose: every member on a line of its own, and the paths of the trees
    """
    _line(console, Text(f"{number}. {chapter.title}", "bold"), Text(f"   {chapter.steps} steps", "dim"))
    for struct, group in groupby(chapter.members, key=lambda item: item.struct):
        _struct(console, struct, list(group), verbose)
    for tree in chapter.trees:
        _verdict(console, tree.verdict, tree.title, tree.evidence)
        if verbose:
            _line(console, Text(" " * (_WIDTH + 6) + tree.path, "dim"))
    for claim in chapter.claims:
        _verdict(console, claim.verdict, f"\u201c{claim.text}\u201d", claim.evidence)
    for item in chapter.differences:
        _verdict(console, "diverged", item.path, f"observed {item.observed}, allowed {item.expected}")
    _line(console, Text(""))


def print_totals(console: Console, chapters: list[ChapterVerdict]) -> None:
    """Print how much of the seed holds."""
    for what, verdicts in (
        ("members", [item.verdict for chapter in chapters for item in chapter.members]),
        ("call trees", [item.verdict for chapter in chapters for item in chapter.trees]),
        ("claims", [item.verdict for chapter in chapters for item in chapter.claims]),
    ):
        counts = Counter(verdicts)
        _line(console, Text(f"{what:<11}"), Text(", ".join(f"{count} {verdict}" for verdict, count in counts.items())))


def _struct(console: Console, struct: str, members: list[MemberVerdict], verbose: bool) -> None:
    present = [item for item in members if item.verdict == "present"]
    if verbose:
        for item in members:
            _verdict(
                console, item.verdict, f"{struct}.{item.member}", item.kernel + (f"; {item.note}" if item.note else "")
            )
        return
    if present:
        names = ", ".join(item.member for item in present)
        _verdict(
            console,
            "present",
            f"struct {struct}",
            f"{len(present)} of {sum(item.verdict != 'not listed' for item in members)}: {names}",
        )
    for item in members:
        if item.verdict != "present":
            types = (
                f"the seed has {item.seed}, the kernel {item.kernel}" if item.verdict == "other type" else item.kernel
            )
            _verdict(
                console, item.verdict, f"struct {struct}.{item.member}", "; ".join(filter(None, (types, item.note)))
            )


def _verdict(console: Console, verdict: str, what: str, evidence: str) -> None:
    _line(console, Text(f"   {verdict:<{_WIDTH}} ", _STYLES.get(verdict, "red")), Text(what))
    if evidence:
        _line(console, Text(" " * (_WIDTH + 6) + evidence, "dim"))


def _line(console: Console, *parts: Text) -> None:
    console.print(Text.assemble(*parts), soft_wrap=True, highlight=False)
