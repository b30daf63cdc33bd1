"""Walk a chapter of the seed on a live guest: its structures, its call trees, its claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import drgn

from ktrace.errors import UsageError
from ktrace.inspect.trace.inlined import Inlined
from ktrace.model.build import build_model
from ktrace.seed.chapters import CHAPTERS, Chapter, Tree
from ktrace.seed.claims import CLAIMS
from ktrace.seed.judgement import Claim
from ktrace.seed.members import MemberVerdict, audit_members
from ktrace.seed.record import Record
from ktrace.state.compare import Difference
from ktrace.state.step import Step
from ktrace.trace.session import scratch_directory
from ktrace.verify.checker import Checker
from ktrace.verify.guests import Guests
from ktrace.verify.lab import Lab
from ktrace.verify.path_check import PathChecker
from ktrace.verify.path_match import Matcher
from ktrace.verify.path_parser import parse_paths
from ktrace.verify.paths import Item
from ktrace.verify.run import perform_script
from ktrace.verify.tracing.functions import FunctionTracer
from ktrace.workload.parser import parse_script


@dataclass(frozen=True)
class TreeVerdict:
    """A call tree against the recorded ones.

    :param verdict: ``right``, ``otherwise`` (the kernel went another way), ``not called``
    :param evidence: which call went so, what of it is inlined and where; or what was missing
    """

    title: str
    path: str
    verdict: str
    evidence: str


@dataclass(frozen=True)
class ClaimVerdict:
    """A claim and the measured answer."""

    text: str
    verdict: str
    evidence: str


@dataclass(frozen=True)
class ChapterVerdict:
    """All of one chapter.

    :param differences: where kernel and model disagree about the chapter's workload; empty as it should be
    """

    name: str
    title: str
    steps: int
    members: tuple[MemberVerdict, ...]
    trees: tuple[TreeVerdict, ...]
    claims: tuple[ClaimVerdict, ...]
    differences: tuple[Difference, ...]


def chosen_chapters(only: Sequence[str] = ()) -> list[tuple[int, Chapter]]:
    """Return the chapters called *only*, all where that is empty, each with its number.

    :raises UsageError: there is no chapter of such a name
    """
    names = [chapter.name for chapter in CHAPTERS]
    if unknown := set(only) - set(names):
        raise UsageError(f"no chapter {min(unknown)!r}", f"there are {', '.join(names)}")
    return [(number, chapter) for number, chapter in enumerate(CHAPTERS, 1) if not only or chapter.name in only]


def audit(guests: Guests, chapters: Sequence[tuple[int, Chapter]]) -> Iterator[tuple[int, ChapterVerdict]]:
    """Audit *chapters*, each in a fresh guest; yield what came of it, and its number.

    :param guests: whose steps carry functions
    :raises GuestError: a guest failed
    """
    for number, chapter in chapters:
        with scratch_directory(f"seed-{chapter.name}") as place, guests.lab(place) as (lab, machine):
            tracer = FunctionTracer(machine.agent, lab.kernel, guests.inlined)
            verdict = audit_chapter(chapter, lab, tracer, guests.inlined)
        yield number, verdict


def audit_chapter(
    chapter: Chapter, lab: Lab, tracer: FunctionTracer, inlined: Mapping[str, Mapping[str, Inlined]]
) -> ChapterVerdict:
    """Run the chapter's workload in *lab* and judge everything that the chapter says.

    :param inlined: what gcc inlined in each function of this kernel
    :raises GuestError: the guest failed
    """
    script = parse_script(chapter.script, f"seed-{chapter.name}")
    checker = Checker(lambda: build_model(lab.facts))
    differences = tuple(checker.initial(lab.look()))
    steps: list[Step] = []
    for step, _ in perform_script(script, lab, tracer=tracer):
        steps.append(step)
        differences = differences or checker.check(step)
    record = Record(lab, tuple(steps), inlined)
    return ChapterVerdict(
        chapter.name,
        chapter.title,
        len(steps),
        tuple(item for listing in chapter.listings for item in audit_members(lab.kernel.prog, listing)),
        tuple(_tree(tree, record, lambda name: inlined.get(name, {})) for tree in chapter.trees),
        tuple(_claim(claim, record) for claim in CLAIMS if claim.chapter == chapter.name),
        differences,
    )


def _claim(claim: Claim, record: Record) -> ClaimVerdict:
    """Judge a claim; a kernel that lacks what the judge looks at leaves it open."""
    try:
        return ClaimVerdict(claim.text, *claim.judge(record))
    except (LookupError, AttributeError, drgn.FaultError) as error:
        return ClaimVerdict(claim.text, "open", f"this kernel has it otherwise: {error}")


def _tree(tree: Tree, record: Record, place: Callable[[str], Mapping[str, Inlined]]) -> TreeVerdict:
    """Look for the first step that goes the tree's way."""
    (expectation,) = parse_paths(tree.path, tree.title)
    path = ", ".join(map(str, expectation.path))
    checker = PathChecker((expectation,), tree.title, place, lambda _name: True)
    complaint = ""
    for step in record.steps:
        before = checker.checked
        complaints = checker.check(step)
        if checker.checked == before:
            continue
        if complaints:
            complaint = complaint or complaints[0].rpartition(": ")[2]
            continue
        return TreeVerdict(tree.title, path, "right", _evidence(step, expectation.path, place))
    if not complaint:
        return TreeVerdict(tree.title, path, "not called", "no step of the chapter makes this call")
    return TreeVerdict(tree.title, path, "otherwise", complaint)


def _evidence(step: Step, items: tuple[Item, ...], place: Callable[[str], Mapping[str, Inlined]]) -> str:
    text = f"step {step.number}, {step.text[:80]}" + ("..." if len(step.text) > 80 else "")
    for spans in (step.functions.spans if step.functions else {}).values():
        if (found := Matcher(spans, place).find(items)) is not None:
            places = [f"{match.name} {match.inlined}" for match in found if match.inlined is not None]
            return "; ".join((text, *dict.fromkeys(places)))
    return text
