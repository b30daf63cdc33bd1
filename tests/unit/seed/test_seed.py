"""The seed's data: every script, path and listing can be read, and every claim has its chapter."""

from __future__ import annotations

import pytest

from ktrace.seed.chapters import CHAPTERS, Chapter
from ktrace.seed.claims import CLAIMS
from ktrace.verify.path_parser import parse_paths
from ktrace.workload.parser import parse_script


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_scripts_and_trees_can_be_read(chapter: Chapter) -> None:
    script = parse_script(chapter.script, chapter.name)
    calls = {scripted.name for scripted in script.expanded()} | {"exit"}
    lines = {scripted.line for scripted in script.expanded()}
    for tree in chapter.trees:
        (expectation,) = parse_paths(tree.path, tree.title)
        assert not expectation.never
        assert expectation.script_line in lines | {0}, tree.title
        assert {"send": "sendto", "recv": "recvfrom"}.get(expectation.call, expectation.call) in {
            {"send": "sendto", "recv": "recvfrom"}.get(name, name) for name in calls
        }, tree.title


def test_every_claim_has_a_chapter_and_every_chapter_a_claim() -> None:
    assert {claim.chapter for claim in CLAIMS} == {chapter.name for chapter in CHAPTERS}


def test_the_pipes_of_the_seed_have_21_members() -> None:
    listings = {listing.name: listing for chapter in CHAPTERS for listing in chapter.listings}
    assert len(listings["pipe_inode_info"].members) == 21
    assert [member.name for member in listings["pipe_buffer"].members] == [
        "page", "offset", "len", "ops", "flags", "private",
    ]  # fmt: skip
    options = {member.name: member.option for member in listings["pipe_inode_info"].members if member.option}
    assert options == {"note_loss": "CONFIG_WATCH_QUEUE", "watch_queue": "CONFIG_WATCH_QUEUE"}
