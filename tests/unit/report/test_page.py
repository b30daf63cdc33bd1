"""The report as a file: one piece, nothing from outside, nothing of a guest's that could become markup."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import UsageError
from ktrace.report.page import STEPS_PER_CHUNK, write_page
from ktrace.state.compare import Difference
from ktrace.trace.session import FILE_NAME, Header, Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from tests.unit.report.recorded import HOSTILE, hostile_session, lines_of, put_lines, small_session, told_session


def page_of(session: Path) -> str:
    """Return a session's report."""
    out = io.StringIO()
    write_page(SessionReader(session), out)
    return out.getvalue()


def blobs(page: str, kind: str) -> list[Any]:
    """Return what is packed into a page."""
    found = re.findall(rf'<script type="text/plain" {kind}>(.*?)</script>', page)
    return [json.loads(zlib.decompress(base64.b64decode(blob))) for blob in found]


def test_a_page_is_one_piece(tmp_path: Path) -> None:
    page = page_of(small_session(tmp_path))
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", page)
    assert "@import" not in page
    assert "url(" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]


def test_steps_come_as_what_changed(tmp_path: Path) -> None:
    page = page_of(small_session(tmp_path, 2 * STEPS_PER_CHUNK + 3))
    chunks, lines = blobs(page, 'class="steps"'), blobs(page, 'class="lines"')
    assert [len(chunk["steps"]) for chunk in chunks] == [256, 256, 3] == [len(part) for part in lines]
    world = dict(chunks[0]["before"])
    for chunk in chunks:
        assert chunk["before"] == world
        for step in chunk["steps"]:
            world.update(step["changed"])
            for ref in step["gone"]:
                del world[ref]
    about = blobs(page, 'id="about"')[0]
    assert (about["steps"], about["end"]["end"], about["truncated"]) == (515, "agreed", False)


def test_hostile_strings_stay_strings(tmp_path: Path) -> None:
    page = page_of(hostile_session(tmp_path))
    assert "<script>window" not in page
    assert "<img" not in page
    assert HOSTILE not in page
    assert page.count("<script") == 2 * 1 + 2
    assert "&lt;/script&gt;" in page  # the title
    assert blobs(page, 'class="steps"')[0]["steps"][0]["text"] == HOSTILE


def test_rules_and_places_go_with_their_steps(tmp_path: Path) -> None:
    asked: list[set[str]] = []

    def places(names: set[str]) -> dict[str, str]:
        asked.append(names)
        return {"pipe_write": "fs/pipe.c:417"}

    out = io.StringIO()
    rules = [(1, ("fs/pipe.c: pipe_write()",)), (2, ("vfs_write()",))]
    write_page(SessionReader(small_session(tmp_path)), out, places, rules)
    steps = blobs(out.getvalue(), 'class="steps"')[0]["steps"]
    assert [step.get("rules") for step in steps[:3]] == [["fs/pipe.c: pipe_write()"], ["vfs_write()"], None]
    assert asked == [{"pipe_write", "vfs_write"}]
    assert blobs(out.getvalue(), 'id="about"')[0]["places"] == {"pipe_write": "fs/pipe.c:417"}


def test_what_stands_in_front_of_a_step_goes_with_it(tmp_path: Path) -> None:
    session = told_session(tmp_path)
    lines = lines_of(session)
    place = next(index for index, line in enumerate(lines) if line.startswith('{"step":3'))
    lines.insert(place, '{"novelty":3,"what":"unheard of"}')
    put_lines(session, lines)
    steps = blobs(page_of(session), 'class="steps"')[0]["steps"]
    rule = ["mm/swap.c", "lru_cache_add", "batches hold pages", [["page1.count", "7"], ["", "9", False]]]
    assert [step.get("choices") for step in steps] == [None, [rule], None]
    assert [len(step.get("probes", ())) for step in steps] == [0, 2, 0]
    assert [step.get("console") for step in steps] == [None, ["[   1.0] watch out"], None]
    lines = [*lines[:-1], '{"console":4,"lines":["Kernel panic - not syncing"]}', lines[-1]]
    put_lines(session, lines)
    assert blobs(page_of(session), 'class="steps"')[0]["steps"][2]["after"] == ["Kernel panic - not syncing"]
    assert [step.get("more") for step in steps] == [None, None, [{"novelty": 3, "what": "unheard of"}]]


def test_a_session_that_was_cut_off_has_a_page(tmp_path: Path) -> None:
    session = small_session(tmp_path)
    file = session / FILE_NAME
    file.write_text(file.read_text()[:-300])
    about = blobs(page_of(session), 'id="about"')[0]
    assert about["truncated"]
    assert about["end"] is None


def test_a_session_without_steps_has_a_page(tmp_path: Path) -> None:
    session = small_session(tmp_path, 0)
    assert blobs(page_of(session), 'class="lines"') == [[]]


def test_a_session_that_diverged_before_its_first_step_says_why(tmp_path: Path) -> None:
    with SessionWriter(tmp_path) as writer:
        writer.header(Header("nothing", {}, {}))
        writer.verdict(Verdict(0, (Difference("user 0.pipe_bufs", 1, 0),)))
    about = blobs(page_of(tmp_path), 'id="about"')[0]
    assert about["initial"]["differences"][0]["path"] == "user 0.pipe_bufs"
    assert about["diverged"] == 0


def test_what_is_no_event_is_refused(tmp_path: Path) -> None:
    session = small_session(tmp_path)
    put_lines(session, [*lines_of(session), '{"step": 13}'])
    with pytest.raises(UsageError, match="not an event of a session: it lacks"):
        page_of(session)
