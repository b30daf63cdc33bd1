"""The report in a real browser: Chromium without a screen, driven by a script in a copy of the page."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ktrace.report.page import write_page
from ktrace.state.compare import Difference
from ktrace.trace.session import Header, Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from tests.unit.report.recorded import (
    HOSTILE,
    every_picture,
    hostile_session,
    lines_of,
    put_lines,
    small_session,
    told_session,
)

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")

FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--virtual-time-budget=30000",
)  # fmt: skip

# Waits are for what the page says of itself; virtual time runs while nothing else does.
DRIVER = """
(async () => {
  const answer = {errors: []};
  window.addEventListener('error', event => answer.errors.push(event.message));
  window.addEventListener('unhandledrejection', event => answer.errors.push(String(event.reason)));
  const until = async (what, test) => {
    for (let left = 400; !test(); left--) {
      if (!left) throw new Error('never: ' + what);
      await new Promise(done => setTimeout(done, 20));
    }
  };
  const $ = name => document.querySelector(name), all = name => [...document.querySelectorAll(name)];
  const at = number => until('step ' + number, () => document.body.dataset.step === String(number));
  const press = key => document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  try {
    await until('ready', () => document.body.dataset.ready);
    SCRIPT
  } catch (error) { answer.errors.push(String(error)); }
  const place = document.createElement('pre');
  place.id = 'answer';
  place.textContent = JSON.stringify(answer);
  document.body.append(place);
  if (parent !== window) parent.postMessage(answer, '*');
})();
"""

NARROWEST = 500
FRAME = """<!doctype html><body style="margin: 0"><script>
window.addEventListener('message', event => {{
  const place = document.createElement('pre');
  place.id = 'answer';
  place.textContent = JSON.stringify(event.data);
  document.body.append(place);
}});
</script><iframe src="{address}" style="width: {width}px; height: {height}px; border: 0"></iframe>"""


def browse(
    session: Path,
    directory: Path,
    script: str,
    step: int | None = None,
    keep_policy: bool = False,
    places: Mapping[str, str] | None = None,
    source: str = "",
    size: tuple[int, int] = (1400, 900),
) -> Any:
    """Open a session's report, run *script* in it and return what it put into ``answer``.

    :param size: of the window, in pixels
    :param keep_policy: leave the page's own policy in place: nothing can be put into it then, the DOM is returned
    """
    page = directory / "report.html"
    with open(page, "w", encoding="utf-8") as out:
        write_page(SessionReader(session), out, lambda _names: places or {}, source=source)
    if not keep_policy:
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
        driver = f"<script>{DRIVER.replace('SCRIPT', script)}</script></body>"
        page.write_text(text.replace("</body>", driver), encoding="utf-8")
    address = f"file://{page}" + (f"#{step}" if step else "")
    if size[0] < NARROWEST:
        # Chromium has no window as narrow as that: a frame in a wider one.
        (directory / "frame.html").write_text(FRAME.format(address=address, width=size[0], height=size[1]))
        address, size = f"file://{directory / 'frame.html'}", (NARROWEST, size[1])
    assert CHROMIUM is not None
    root = ("--no-sandbox",) if os.getuid() == 0 else ()
    profile = f"--user-data-dir={directory / 'profile'}"
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--window-size={size[0]},{size[1]}", *root, profile, "--dump-dom", address],
        capture_output=True,
        text=True,
        timeout=100,
    )
    if keep_policy:
        return done.stdout
    answer = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert answer is not None, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(html.unescape(answer[1]))
    assert found["errors"] == []
    return found


def test_the_strip_counts_time_as_well_as_steps(tmp_path: Path) -> None:
    """Ten steps of a millisecond each, but the fourth, which takes 91."""
    session, began = small_session(tmp_path, 10), 5_000_000
    lines = [json.loads(line) for line in lines_of(session)]
    for event in lines:
        if "step" in event:
            ended = began + (91_000_000 if event["step"] == 4 else 1_000_000)
            event["host"], began = [began, ended], ended
    put_lines(session, [json.dumps(line) for line in lines])
    answer = browse(
        session,
        tmp_path,
        """
        const strip = $('#timeline'), box = $('#timeline canvas').getBoundingClientRect();
        strip.setPointerCapture = () => {};
        const middle = () => strip.dispatchEvent(new PointerEvent('pointerdown', {
          clientX: (box.left + 34 + box.right) / 2, pointerId: 1, bubbles: true}));
        press('ArrowRight'); await at(1);
        answer.steps = strip.dataset.shown;
        middle(); await at(6);
        press('c'); answer.time = strip.dataset.shown;
        press('Home'); await at(1);
        middle(); await at(4);
        const wide = $('#playhead').getBoundingClientRect().width; answer.wide = wide / (box.width - 34);
        press('+'); press('+'); answer.near = strip.dataset.shown;
        press('c'); answer.again = strip.dataset.shown;
        """,
    )
    assert answer["steps"] == answer["again"] == "1-10"
    assert answer["time"] == "0 µs-100.0 ms"
    assert 0.9 < answer["wide"] < 0.92
    assert answer["near"].endswith(" ms") and answer["near"] != answer["time"]


def test_keys_mouse_and_search(tmp_path: Path) -> None:
    answer = browse(
        small_session(tmp_path, 600),
        tmp_path,
        """
        answer.first = document.body.dataset.step;
        press('ArrowLeft'); press('ArrowRight'); await at(1);
        press('ArrowRight'); await at(2);
        press('j'); await at(3);
        press('k'); await at(2);
        press('PageDown'); await at(12);
        press('End'); await at(600);
        answer.drawn = all('.row').length;
        press('ArrowLeft'); await at(599);
        answer.asleep = $('.asleep').textContent;
        answer.sleeps = $('.events').textContent;
        answer.comment = $('.comment').textContent;
        press('Home'); await at(1);
        press('n'); await at(5);
        all('.row')[6].click(); await at(7);
        const box = $('#timeline canvas').getBoundingClientRect();
        $('#timeline').setPointerCapture = () => {};
        const where = {clientX: box.right - 1, pointerId: 1, bubbles: true};
        $('#timeline').dispatchEvent(new PointerEvent('pointerdown', where)); await at(600);
        const strip = $('#timeline');
        answer.whole = strip.dataset.shown;
        for (let time = 0; time < 6; time++) press('+');
        answer.near = strip.dataset.shown;
        const middle = {clientX: (box.left + box.right) / 2, bubbles: true, cancelable: true};
        strip.dispatchEvent(new WheelEvent('wheel', {...middle, deltaY: 200}));
        answer.wheel = strip.dataset.shown;
        press('Home'); await at(1);
        answer.follows = strip.dataset.shown.startsWith('1-');
        press('End'); await at(600);
        press('0'); answer.again = strip.dataset.shown;
        const search = text => { $('#search').value = text; $('#search').dispatchEvent(new Event('input')); };
        search('EAGAIN'); answer.failed = $('#count').textContent;
        press('ArrowLeft'); await at(594);
        search('nothing has this'); answer.none = $('#count').textContent;
        search('"step 598" pipe1'); answer.one = $('#count').textContent;
        press('Escape'); answer.all = $('#count').textContent;
        all('.toggle').find(item => item.textContent === 'blocked').click(); answer.blocked = $('#count').textContent;
        const shade = () => getComputedStyle(document.body).backgroundColor;
        const before = shade(); press('t'); answer.dark = shade() !== before;
        press('?'); answer.help = $('#keys').open;
        """,
    )
    assert answer["first"] == "0"
    assert answer["drawn"] < 60
    assert answer["asleep"] == "☾ B exclusive"
    assert "now sleeps in pipe_write ← vfs_write" in answer["sleeps"]
    assert answer["comment"] == "a comment"
    assert answer["whole"] == answer["again"] == "1-600"
    assert answer["near"] == "561-600"
    first, last = map(int, answer["wheel"].split("-"))
    assert 60 < last - first + 1 < 100
    assert answer["follows"]
    assert answer["failed"] == "100 of 600 steps"
    assert answer["none"] == "0 of 600 steps"
    assert answer["one"] == "1 of 600 steps"
    assert answer["all"] == "600 steps"
    assert answer["blocked"] == "100 of 600 steps"
    assert answer["dark"]
    assert answer["help"]


def test_every_object_has_its_picture(tmp_path: Path) -> None:
    answer = browse(
        every_picture(tmp_path),
        tmp_path,
        """
        answer.pictures = all('.picture').map(item => item.dataset.ref + ': ' + item.innerText);
        answer.verdict = $('.verdict').innerText;
        answer.badge = $('.badge').textContent;
        press('a');
        await until('all objects', () => all('.picture').length === 5);
        """,
    )
    text = dict(item.split(": ", 1) for item in answer["pictures"])
    assert sorted(text) == ["msg:5", "pipe:pipe1", "sem:3", "shm:7", "sock:sock1"]
    assert '"hello"' in text["msg:5"]
    assert "type 9, ≤ 100 bytes" in text["msg:5"]
    assert "1 of 4 slots" in text["pipe:pipe1"]
    assert "at exit gives back" in text["sem:3"]
    assert "goes with its last user" in text["shm:7"]
    assert "receive queue, 10 bytes" in text["sock:sock1"]
    assert "fs/pipe.c: pipe_write()" in answer["verdict"]
    assert answer["badge"] == "diverged"


def test_functions_are_folded(tmp_path: Path) -> None:
    session = small_session(tmp_path)
    names = ["write", *(f"level{depth}" for depth in range(1, 7)), "leaf"]
    spans = [[depth, depth, depth * 10, 1000 - depth] for depth in range(7)] + [[7, 7, 80, 5], [7, 7, 90, 7]]
    inlined = {"leaf": [["tiny", "fs/pipe.c:7"]]}
    event = {"functions": 1, "since": 0, "lost": 3, "names": names, "spans": {"B": spans}, "inlined": inlined}
    lines = lines_of(session)
    lines.insert(1, json.dumps(event))
    put_lines(session, lines)
    answer = browse(
        session,
        tmp_path,
        """
        const shown = () => all('.functions code:not(.inlined code)').map(item => item.textContent);
        answer.folded = shown();
        for (let depth = 0; depth < 4; depth++) {
          all('.functions details').forEach(item => { item.open = true; });
          await new Promise(done => setTimeout(done, 50));
        }
        answer.unfolded = shown();
        answer.text = $('.functions').innerText;
        answer.link = $('.functions a.source').href;
        """,
        1,
        places={"level2": "fs/pipe.c:417"},
        source="https://source.example/{file}#L{line}",
    )
    assert answer["folded"] == names[:5]
    assert answer["unfolded"] == names
    assert "3 events were lost" in answer["text"]
    assert "fs/pipe.c:417" in answer["text"]
    assert answer["link"] == "https://source.example/fs/pipe.c#L417"
    assert "leaf × 2, 0.0120 µs" in answer["text"]
    assert "1 inlined function" in answer["text"]
    assert "tiny" in answer["text"]


def test_probes_and_console_stand_in_their_step(tmp_path: Path) -> None:
    answer = browse(
        told_session(tmp_path),
        tmp_path,
        """
        answer.first = [$('.probes'), $('.console'), $('.traced'), $('.choices')];
        press('ArrowRight'); await at(2);
        answer.probes = $('.probes').innerText;
        answer.console = $('.console pre').textContent;
        answer.traced = $('.traced').innerText;
        answer.moment = $('.moment').title;
        answer.choices = $('.choices').innerText;
        $('#search').value = 'probe pipe_write'; $('#search').dispatchEvent(new Event('input'));
        answer.found = $('#count').textContent;
        press('Escape'); press('ArrowRight'); await at(3);
        answer.last = [$('.probes'), $('.console'), $('.traced'), $('.choices')];
        """,
        1,
        places={"pipe_write": "fs/pipe.c:417"},
    )
    assert answer["first"] == answer["last"] == [None, None, None, None]
    assert "2 stops" in answer["probes"]
    assert "pipe_write(iocb=0xffff)" in answer["probes"]
    assert "fs/pipe.c:417" in answer["probes"]
    assert '"B2"' in answer["probes"]
    assert "called by vfs_write and 1 more" in answer["probes"]
    assert "lru_cache_add() batches hold pages mm/swap.c" in answer["choices"]
    assert "page1.count = 7" in answer["choices"]
    assert answer["console"] == "[   1.0] watch out"
    assert "2 events" in answer["traced"]
    assert "4 events were lost" in answer["traced"]
    assert "+0.7 µs" in answer["traced"]
    assert "$retval=6" in answer["traced"]
    assert answer["moment"] == (
        "on the host 0.002000 s after the session began, for 0.001 ms; in the guest 1970-01-02 00:00:00"
    )
    assert answer["found"] == "1 of 3 steps"


def test_hostile_strings_do_nothing(tmp_path: Path) -> None:
    answer = browse(
        hostile_session(tmp_path),
        tmp_path,
        """
        all('details').forEach(item => { item.open = true; });
        answer.overview = $('#detail').textContent;
        press('ArrowRight'); await at(1);
        all('details').forEach(item => { item.open = true; });
        await new Promise(done => setTimeout(done, 200));
        all('details details').forEach(item => { item.open = true; });
        await new Promise(done => setTimeout(done, 200));
        answer.pwned = window.pwned ?? null;
        answer.images = all('img').length;
        answer.scripts = all('script:not([type])').length;
        answer.call = $('.call code').textContent;
        """,
    )
    assert answer["pwned"] is None
    assert answer["images"] == 0
    assert answer["scripts"] == 2  # the page's own and this test's
    assert HOSTILE in answer["call"]
    assert HOSTILE in answer["overview"]


def test_a_session_without_steps_shows_its_verdict(tmp_path: Path) -> None:
    with SessionWriter(tmp_path) as writer:
        writer.header(Header("nothing", {}, {}))
        writer.verdict(Verdict(0, (Difference("user 0.pipe_bufs", 1, 0),)))
    answer = browse(tmp_path, tmp_path, "answer.text = $('#detail').innerText; press('ArrowRight'); press('n');")
    assert "user 0.pipe_bufs" in answer["text"]
    assert "this session has no steps" in answer["text"]


def test_the_page_works_under_its_own_policy(tmp_path: Path) -> None:
    dom = browse(every_picture(tmp_path), tmp_path, "", 1, keep_policy=True)
    assert 'data-ready="yes"' in dom
    assert dom.count('<figure class="picture') == 5


LAYOUT = """
        const box = item => item.getBoundingClientRect();
        const inside = (item, frame) => { const [a, b] = [box(item), box(frame)];
          return a.left >= b.left - 1 && a.right <= b.right + 1; };
        const apart = (one, other) => { const [a, b] = [box(one), box(other)];
          const beside = a.right <= b.left + 1 || b.right <= a.left + 1;
          return beside || a.bottom <= b.top + 1 || b.bottom <= a.top + 1; };
        const called = item => [item.id, item.tagName, item.getAttribute('class'), item.textContent].join(' ');
        const check = name => {
          const wrong = answer[name] = [];
          if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page is wider than the window');
          const parts = all('#logo, h1, #where, #verdict, header button');
          for (const [place, one] of parts.entries()) {
            if (!inside(one, document.body) || !box(one).width) wrong.push('not seen: ' + called(one));
            if (one.clientWidth && one.scrollWidth > one.clientWidth + 1) wrong.push('cut off: ' + called(one));
            for (const other of parts.slice(place + 1))
              if (!apart(one, other)) wrong.push(called(one) + ' lies on ' + called(other));
          }
          const drawn = '.arrow, .ring, .ring text, .side, .end, .tube, .gauge, .pages, .call code, .moment';
          for (const frame of all('.picture, .card, .changes, .call')) {
            if (!inside(frame, document.body)) wrong.push('cut off: ' + called(frame));
            for (const item of frame.querySelectorAll(drawn))
              if (!item.closest('.scroll') && !inside(item, frame)) wrong.push('sticks out: ' + called(item));
          }
          for (const cell of all('.picture .scroll .text'))
            if (box(cell).height > 40) wrong.push('a column of letters: ' + called(cell));
          for (const row of all('.changes tr')) {
            const [one, other] = [row.querySelector('.before'), row.querySelector('.after')];
            if (one && box(other).left - box(one).right > 60) wrong.push('torn apart: ' + called(row));
          }
        };
        answer.width = innerWidth;
        press('o'); check('overview');
        for (const step of [STEPS]) { location.hash = '#' + step; await at(step); check('step ' + step); }
        """


@pytest.mark.parametrize("width", [420, 768, 1600])
def test_nothing_is_cut_off_or_lies_on_something_else(tmp_path: Path, width: int) -> None:
    """A long title; a pipe, a semaphore set, a queue, a segment, a connection, each in a step of the bundled tour."""
    session = Path(__file__).parents[3] / "traces" / "recorded" / "ipc-tour.jsonl.gz"
    steps = [step.number for step in SessionReader(session).steps()]
    script = LAYOUT.replace("STEPS", ", ".join(map(str, steps[3::4])))
    answer = browse(session, tmp_path, script, size=(width, 900))
    assert answer.pop("width") == width
    assert answer.pop("errors") == []
    assert {name: wrong for name, wrong in answer.items() if wrong} == {}
    assert len(answer) == 1 + len(steps[3::4])


def test_the_page_opens_on_an_overview(tmp_path: Path) -> None:
    session = Path(__file__).parents[3] / "traces" / "recorded" / "ipc-tour.jsonl.gz"
    answer = browse(
        session,
        tmp_path,
        """
        answer.first = document.body.dataset.step;
        answer.titles = all('.card h3').map(item => item.firstChild.textContent.trim());
        answer.text = $('#detail').innerText;
        answer.current = all('.row.current').length;
        all('.steps button').find(item => item.textContent === '29').click(); await at(29);
        answer.step = $('.call').innerText;
        press('o'); await at(0);
        answer.address = location.hash;
        $('.card details').open = true;
        location.hash = '#3'; await at(3);
        $('#logo').click(); await at(0);
        """,
    )
    assert answer["first"] == "0"
    assert answer["current"] == 0
    assert answer["titles"] == [
        "what ran", "who acted", "what was there", "what happened", "in its own words", "what failed or slept",
        "what was checked",
    ]  # fmt: skip
    for text in ("agreed", "fields compared", "a semaphore set; two wait", "killed by SIGKILL × 1", "woken × "):
        assert text in answer["text"]
    assert re.search(r"A\s+52\s+0\s+2", answer["text"])
    assert re.search(r"write\s+20\s", answer["text"])
    assert re.search(r"pipe\s+0\s+1\s+1\n", answer["text"])
    assert "semget" in answer["step"]
    assert answer["address"] == "#overview"


def test_what_is_left_out_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    session = Path(__file__).parents[3] / "traces" / "recorded" / "ipc-tour.jsonl.gz"
    answer = browse(
        session,
        tmp_path,
        """
        const rows = () => all('.picture.pipe .scroll tr').length;
        answer.before = rows();
        all('.picture.pipe button').find(item => item.textContent === 'and 11 more buffers').click();
        answer.after = rows();
        """,
        26,
    )
    assert (answer["before"], answer["after"]) == (6, 16)
