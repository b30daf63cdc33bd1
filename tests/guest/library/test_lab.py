"""Labs in Python: checked as ``ktrace run`` checks, gone back in, cloned; and one clear error for each misuse."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import drgn
import pytest

import ktrace
from ktrace.constants import EPOLL_CTL_ADD, EPOLLIN, F_SETFL, IPC_PRIVATE, O_NONBLOCK
from ktrace.image.image import Image
from ktrace.library.guests import guests_of
from ktrace.library.lab import Lab
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.options import GuestOptions
from ktrace.verify.replay import replay
from tests.guest.poke import poke
from tests.sinks import Record


def one_more_head(lab: Lab) -> None:
    """Make the head of the only pipe wrong behind the kernel's back."""
    guest = lab._guest.lab
    (address,) = [ref.key for ref in guest.inspector.observe().objects if ref.kind == "pipe"]
    head = drgn.Object(lab.program, "struct inode *", value=address).i_pipe.head
    poke(guest, head, lambda byte: byte + 1)


def test_a_divergence_is_raised_with_its_own_text(around_a_pipe: ktrace.Prepared, tmp_path: Path) -> None:
    with pytest.raises(ktrace.Divergence) as caught, around_a_pipe.clone(session=tmp_path / "s") as lab:
        a, _, _, w = lab.prepared
        a.write(w, b"!")
        one_more_head(lab)
        a.write(w, b"?")
    error = caught.value
    said = str(error).splitlines()
    assert said[0] == 'divergence at step 6: A: write(1, "?", 1) = 1'
    assert re.match(r"  pipe1\.head +observed 3$", said[1])
    assert re.match(r" +allowed  2$", said[2])
    assert "anon_pipe_write()" in said[-1]
    assert error.step is not None and error.step.number == 6 and error.verdict.number == 6
    assert error.__notes__ == [error.hint, f"session {tmp_path / 's'}"]
    # The session tells the same, to whoever holds it against the model again.
    sink = Record()
    assert replay(SessionReader(tmp_path / "s"), sink).status == "diverged"
    assert [verdict.number for verdict in sink.verdicts] == [6]


def test_after_a_divergence_nothing_more_is_done_but_in_a_checkpoint_before(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a, b, r, w = lab.prepared
        a.write(w, b"!")
        with pytest.raises(ktrace.Divergence), lab.checkpoint():
            one_more_head(lab)
            a.write(w, b"?")
        assert lab.pipe(w).head == 1
        assert a.write(w, b"?").value == 1
        assert b.read(r, 10).buf == b"?"
        one_more_head(lab)
        with pytest.raises(ktrace.Divergence):
            a.write(w, b"?")
        with pytest.raises(ktrace.UsageError, match="cannot go on: divergence at step 8"):
            a.write(w, b"?")


def test_without_checks_the_kernel_may_do_as_it_likes(tmp_path: Path) -> None:
    with ktrace.lab(checked=False, session=tmp_path / "s") as lab:
        a = lab.spawn()
        _, w = a.pipe2(0)
        one_more_head(lab)
        a.write(w, b"?")
        assert lab.pipe(w).head == 2
    # But whoever asks is told.
    assert replay(SessionReader(tmp_path / "s"), Record()).status == "diverged"


def test_a_checkpoint_goes_back_with_calls_that_had_not_returned(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a, b, _, w = lab.prepared
        before, steps = lab.world, len(lab.steps)
        waiting = b.waiting
        with lab.checkpoint():
            a.write(w, b"inside")
            assert waiting.buf == b"inside" and not waiting.blocked
            c = lab.spawn()
        assert lab.world == before and len(lab.steps) == steps
        assert waiting.blocked and waiting.value is None and waiting.sleeps_in[0] == "pipe_read"
        assert not c.alive
        a.write(w, b"!")
        assert waiting.buf == b"!"


def test_a_guest_that_died_in_a_checkpoint_is_whole_behind_it(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a, b, _, w = lab.prepared
        with pytest.raises(ktrace.GuestDied) as caught, lab.checkpoint():
            lab._guest.machine.kill()
            a.write(w, b"!")
        assert caught.value.console
        a.write(w, b"!")
        assert b.waiting is None


def test_an_exception_in_a_checkpoint_goes_on_and_what_led_to_it_is_kept(
    around_a_pipe: ktrace.Prepared, tmp_path: Path
) -> None:
    with around_a_pipe.clone(session=tmp_path / "s") as lab:
        a, _, _, w = lab.prepared
        steps = len(lab.steps)
        with pytest.raises(ZeroDivisionError) as caught, lab.checkpoint():
            a.write(w, b"inside")
            raise ZeroDivisionError
        assert caught.value.__notes__ == [f"session {tmp_path / 's' / 'left-1'}"]
        a.write(w, b"!")
    assert [step.text for step in SessionReader(tmp_path / "s" / "left-1").steps()][steps:] == ['write(1, "inside", 6)']
    sink = Record()
    assert replay(SessionReader(tmp_path / "s"), sink).status == "agreed"
    assert [step.text for step in sink.steps][steps:] == ['write(1, "!", 1)']
    assert sorted(path.name for path in (tmp_path / "s").iterdir() if path.is_dir()) == ["left-1"]


def test_sessions_are_kept_where_an_exception_ends_the_lab(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        place = lab.session
    assert not place.exists()
    with pytest.raises(ZeroDivisionError) as caught, around_a_pipe.clone() as lab:
        place = lab.session
        raise ZeroDivisionError
    assert caught.value.__notes__ == [f"session {place}"]
    assert replay(SessionReader(place), Record()).status == "agreed"


def test_results_are_the_clones_own() -> None:
    with ktrace.lab() as lab:
        a, b = lab.spawn(), lab.spawn()
        s = a.semget(IPC_PRIVATE, 1, 0o666)
        waiting = b.semop(s, [(0, -1, 0)])
        with lab.prepare({"all": [a, s, waiting]}) as prepared:
            a.semop(s, [(0, 1, 0)])
            assert waiting.value == 0
            with prepared.clone() as one:
                its_a, its_s, its_waiting = one.prepared["all"]
                assert its_waiting.blocked and its_waiting.value is None and its_waiting.sleeps_in
                its_a.semop(its_s, [(0, 2, 0)])
                assert its_waiting.value == 0 and one.sem(its_s).sems[0].semval == 1


def test_a_lab_is_its_processs_own_and_outlives_the_thread_that_began_it(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a, _, _, w = lab.prepared
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads: the child does little
            pid = os.fork()
        if not pid:
            try:
                a.write(w, b"child")
            except ktrace.UsageError as error:
                lab.close()
                os._exit(7 if "belongs to process" in error.message else 1)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert a.write(w, b"parent").value == 6
    labs: list[Lab] = []
    thread = threading.Thread(target=lambda: labs.append(around_a_pipe.clone().__enter__()))
    thread.start()
    thread.join()
    assert labs[0].spawn().alive
    labs[0].close()


def test_what_is_no_failure_keeps_no_session(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        place = lab.session
        with pytest.raises(ZeroDivisionError), lab.checkpoint():
            raise ZeroDivisionError
        assert (place / "left-1").is_dir()
    assert not place.exists()
    with pytest.raises(pytest.skip.Exception), around_a_pipe.clone() as lab:
        place = lab.session
        pytest.skip("not today")
    assert not place.exists()


def test_two_labs_at_once_do_not_meet(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as one, around_a_pipe.clone() as two:
        (a, _, _, w), (c, _, _, _) = one.prepared, two.prepared
        a.write(w, b"1")
        a.write(w, b"2")
        c.write(w, b"3")
        assert (one.pipe(w).head, two.pipe(w).head) == (2, 1)


def test_guests_are_made_ahead_and_who_wants_a_second_need_not_wait(tmp_path: Path) -> None:
    guests = guests_of(GuestOptions())
    with guests.ahead(tmp_path):
        for _ in range(2):
            with ktrace.lab() as one, ktrace.lab() as two, ktrace.lab() as three:
                pids = {lab._guest.machine.pid for lab in (one, two, three)}
                assert len(pids) == 3
                assert [lab.spawn().pipe2(0).value for lab in (one, two, three)] == [0, 0, 0]
                ahead = [lab._guest.machine.console.path.is_relative_to(tmp_path) for lab in (one, two, three)]
                assert ahead == [True, False, False]
    assert not list(tmp_path.iterdir())
    with ktrace.lab() as lab:
        assert not lab._guest.machine.console.path.is_relative_to(tmp_path)


def test_where_none_can_be_made_ahead_one_is_made_when_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with guests_of(GuestOptions()).ahead(tmp_path / "file"), ktrace.lab() as lab:
        assert lab.spawn().pipe2(0).value == 0


def test_every_kind_of_object_is_looked_up() -> None:
    with ktrace.lab() as lab:
        a = lab.spawn("Reader", uid=1000)
        r, w = a.pipe2(0)
        counter, watch = a.eventfd2(5, 0), a.epoll_create1(0)
        assert a.epoll_ctl(watch, EPOLL_CTL_ADD, r, (EPOLLIN, 7)).value == 0
        file = a.memfd_create("x", 0)
        a.write(w, b"x")
        assert lab.eventfd(a, counter).count == 5
        assert lab.epoll(a, watch).ready == (r,)
        assert lab.inode(a, w).i_sb == "pipefs" and lab.inode(a, file).i_size == 0
        assert sorted(lab.descriptors(a).fds) == [r, w, int(counter), int(watch), int(file)]
        assert lab.user(1000).pipe_bufs == 16 and lab.ipc_ns(a).sem_ids.in_use == 0
        for wrong, said in (
            (lambda: lab.inode(a, counter), "descriptor 2 of Reader is an eventfd, not an inode"),
            (lambda: lab.epoll(a, r), "descriptor 0 of Reader is a pipe, not an epoll"),
            (lambda: lab.user(5), "there is no user '5'"),
        ):
            with pytest.raises(ktrace.UsageError, match=said):
                wrong()


def test_what_is_seen_on_the_way_comes_with_the_result() -> None:
    with ktrace.lab(probes=["pipe_write iocb->ki_flags"]) as lab:
        a = lab.spawn()
        _, w = a.pipe2(0)
        (hit,) = a.write(w, b"x").hits
        assert (hit.function, hit.actor, list(hit.shown)) == ("pipe_write", "A", ["iocb->ki_flags"])
        with pytest.raises(ktrace.UsageError, match="a lab with probes cannot be saved"), lab.checkpoint():
            pass
    with ktrace.lab(events=["sched:sched_wakeup"]) as lab:
        a = lab.spawn()
        r, w = a.pipe2(0)
        b = a.fork()
        b.read(r, 1)
        woken = a.write(w, b"x").traced
        assert "sched:sched_wakeup" in [event.name for event in woken.events] and not woken.lost


def test_each_misuse_has_one_clear_error(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a, b, r, w = lab.prepared
        steps = len(lab.steps)
        for misuse, said in (
            (lambda: a.wriet(w, b"x"), r"unknown call 'wriet'"),
            (lambda: a.wait(10), r"no actor does 'wait'"),
            (lambda: a.write(w), r"write needs 'buf'"),
            (lambda: a.write("w", b"x"), r"write: fd is a descriptor, not b'w'"),
            (lambda: b.read(r, 10), r"B cannot call 'read': it is inside a call"),
            (lambda: a.write(b.waiting, b"x"), r"B has not returned from read\(0, 10\): it sleeps in pipe_read"),
            (lambda: b.waiting.buf, r"B has not returned from read\(0, 10\): it sleeps in pipe_read"),
            (lambda: b.waiting.wait(8), r"B has not returned from read\(0, 10\) after 8 ms: it sleeps in pipe_read"),
            (lambda: lab.pipe(7), r"no actor has a descriptor 7"),
            (lambda: lab.pipe(7, a), r"A has no descriptor 7"),
            (lambda: lab.socket(a, w), r"descriptor 1 of A is a pipe, not a socket"),
            (lambda: lab.sem(5), r"there is no sem 5"),
            (lambda: lab.spawn("B"), r"actor 'B' lives already"),
            (lambda: lab.spawn("b"), r"'b' is no actor's name"),
            (lambda: lab.process("Z"), r"no actor 'Z' lives"),
            (lambda: lab.sysctl("no/such", 1), r"cannot set sysctl 'no/such'"),
        ):
            with pytest.raises(ktrace.UsageError, match=said):
                misuse()
        assert {step.call.name for step in lab.steps[steps:]} <= {"wait"}, "none of them was made"
        failed = a.read(99, 10)
        assert (failed.value, failed.errno) == (-1, "EBADF")
        with pytest.raises(ktrace.CallFailed, match=r"read\(99, .*10\) failed with EBADF"):
            a.write(failed, b"x")
        with pytest.raises(AttributeError, match="read failed with EBADF: there is no 'buf'"):
            _ = failed.buf
        c = lab.spawn()
        assert c.exit(3).ended.status == 3
        with pytest.raises(ktrace.UsageError, match="no actor 'C' lives"):
            c.getpid()
        c = lab.spawn()
        assert c.name == "D", "a name is not given twice"
        c.semget(IPC_PRIVATE, 1, 0o600)
        p, q = c.pipe2(O_NONBLOCK)
        with pytest.raises(ktrace.UsageError, match="descriptor 0 is pipe1 in A and pipe2 in D"):
            lab.pipe(p)
        assert lab.pipe(p, c) is not lab.pipe(r, a) and q == w
        assert a.fcntl(w, F_SETFL, O_NONBLOCK).value == 0 and "O_NONBLOCK" in lab.file(a, w).f_flags
    for misuse in (lambda: lab.world, lambda: a.write(w, b"x"), lambda: lab.spawn(), lambda: lab.pipe(w)):
        with pytest.raises(ktrace.UsageError, match="this lab has ended"):
            misuse()
    with pytest.raises(ktrace.UsageError, match="a lab begins once"):
        lab.__enter__()


def test_who_asks_for_a_member_that_is_not_there_is_told_what_is(around_a_pipe: ktrace.Prepared) -> None:
    with pytest.raises(AttributeError, match="rdllist") as caught, around_a_pipe.clone() as lab:
        a, *_ = lab.prepared
        _ = lab.epoll(a, a.epoll_create1(0)).rdllist  # type: ignore[attr-defined]
    assert caught.value.__notes__[0] == "Epoll has items, ready, wq, poll_wait"
    shutil.rmtree(caught.value.__notes__[-1].removeprefix("session "))


def test_actors_are_their_labs_own(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as one, around_a_pipe.clone() as two:
        a, _, r, _ = one.prepared
        for misuse in (
            lambda: two.kill(a, 9),
            lambda: two.prepared[0].kill(-a, 9),
            lambda: two.file(a, r),
            lambda: two.undo(a),
            lambda: two.sem(0, a),
        ):
            with pytest.raises(ktrace.UsageError, match="actor A belongs to another lab"):
                misuse()
        assert a.alive and two.prepared[0].alive


def test_a_lab_is_used_by_one_thread_at_a_time(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a = lab.prepared[0]
        steps, errors = len(lab.steps), []

        def work() -> None:
            for _ in range(20):
                try:
                    a.getpid()
                except ktrace.UsageError as error:
                    errors.append(error.message)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(errors) <= {"another thread is at a step of this lab"}
        assert len(lab.steps) - steps == 40 - len(errors) > 0
        assert a.getpid() == a.pid, "it goes on"


def test_whatever_ends_a_checkpoint_it_goes_back(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a, _, _, w = lab.prepared
        for ending in (KeyboardInterrupt, SystemExit, pytest.fail.Exception):
            with pytest.raises(ending), lab.checkpoint():
                a.write(w, b"x")
                raise ending("now")
            assert lab.pipe(w).head == 0


def test_checkpoints_that_cross_say_so(around_a_pipe: ktrace.Prepared) -> None:
    with around_a_pipe.clone() as lab:
        a, _, _, w = lab.prepared
        outer, inner = lab.checkpoint(), lab.checkpoint()
        outer.__enter__()
        a.getpid()
        inner.__enter__()
        outer.__exit__(None, None, None)
        with pytest.raises(ktrace.UsageError, match="this checkpoint is gone"):
            inner.__exit__(None, None, None)
        assert a.write(w, b"x") == 1, "the lab goes on"


LEFT = """
import ktrace

def left():
    with ktrace.lab({image!r}) as lab:
        lab.spawn()
        yield lab

kept = left()
lab = next(kept)
print(lab.session)
"""


def test_a_lab_in_a_generator_that_is_never_closed_leaves_nothing(image: Image) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT.format(image=image.name)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).exists()


def test_a_prepared_lab_that_was_closed_says_so() -> None:
    with ktrace.lab() as lab:
        prepared = lab.prepare(1)
    prepared.close()
    with pytest.raises(ktrace.UsageError, match="was closed"):
        prepared.clone()


def test_a_result_is_a_number_or_says_why_not(image: Image) -> None:
    with ktrace.lab(image.name) as lab:
        a = lab.spawn()
        ends = a.pipe2(0)
        r, w = ends
        assert (ends[0], ends[-1]) == (r, w)
        written = a.write(w, b"abc")
        with pytest.raises(ktrace.UsageError, match="write wrote no array"):
            _ = written[0]
        assert written == 3
        assert written > 2
        assert written + 1 == 4
        assert 5 - written == 2
        with pytest.raises(ktrace.CallFailed):
            assert a.close(77)
        with pytest.raises(ktrace.CallFailed):
            assert a.close(77) != -1
        a.read(r, 3)
        with pytest.raises(ktrace.StillBlocked):
            assert a.read(r, 1)


def test_mistakes_leave_the_lab_as_it_is(image: Image) -> None:
    with ktrace.lab(image.name) as lab:
        a = lab.spawn()
        mistakes = (
            lambda: lab.kill(a, 65), lambda: lab.wait(-1), lambda: lab.wait(1 << 62), lambda: lab.spawn("X", uid=-1),
            lambda: lab.spawn("X", groups=[1 << 32]), lambda: a.close(1 << 70),
        )  # fmt: skip
        for mistake in mistakes:
            with pytest.raises(ktrace.UsageError):
                mistake()
        lab.kill(a, 0)
        with pytest.raises(ktrace.UsageError) as told:
            a.raed(0, 1)
        assert told.value.__notes__ == ["did you mean read or readv or pread"]


def test_a_thread_may_go_back_and_end(image: Image) -> None:
    with ktrace.lab(image.name) as lab:
        a = lab.spawn()
        _, w = a.pipe2(0)

        def visit() -> None:
            with lab.checkpoint():
                a.write(w, b"x")

        thread = threading.Thread(target=visit)
        thread.start()
        thread.join()
        a.write(w, b"x")
        assert lab.pipe(w).head == 1
