"""``import ktrace``: quick, lazy, whole; and what of it needs no guest."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ktrace
from ktrace import constants
from ktrace.agent.syscalls import CONSTANTS, make_call
from ktrace.library.actor import CALLS, Actor
from ktrace.library.arguments import call_of
from ktrace.library.find import behind_any, file_of, process_of, with_id
from ktrace.state.fs.file import Descriptor, DescriptorTable, File
from ktrace.state.ipc.msg import MsgQueue
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World


def test_import_loads_nothing_else() -> None:
    probe = "import sys; before = set(sys.modules); import ktrace; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["ktrace"]


def test_everything_public_is_there_and_said_once() -> None:
    for name in ktrace.__all__:
        assert getattr(ktrace, name).__doc__
    placed = [name for names in ktrace._PLACES.values() for name in names.split()]
    assert sorted(placed) == sorted(ktrace.__all__)
    assert set(ktrace.__all__) <= set(dir(ktrace))
    with pytest.raises(AttributeError, match="'ktrace' has no attribute 'lba'"):
        _ = ktrace.lba  # type: ignore[attr-defined]


def test_constants_are_those_of_scripts() -> None:
    assert constants.O_NONBLOCK == 0o4000 and set(CONSTANTS) <= set(dir(constants))
    assert constants.RECORD == "RECORD"
    with pytest.raises(AttributeError, match="did you mean O_NONBLOCK"):
        _ = constants.O_NOBLOCK
    with pytest.raises(ImportError, match="cannot import name 'O_NOBLOCK'"):
        exec("from ktrace.constants import O_NOBLOCK")


def test_what_is_given_in_python_makes_the_call_of_a_script() -> None:
    lab = ktrace.lab()
    a = Actor(lab, "A")
    assert call_of(lab, "write", (3, "text"), {}) == make_call("write", 3, b"text")
    assert call_of(lab, "kill", (a, 9), {}) == make_call("kill", "A", 9)
    assert call_of(lab, "kill", (-a, 9), {}) == make_call("kill", "-A", 9)
    assert call_of(lab, "semop", (5, [(0, -1, 0)]), {}) == make_call("semop", 5, ((0, -1, 0),))
    assert call_of(lab, "shmat", (5, None, 0), {}) == make_call("shmat", 5, 0, 0)
    assert call_of(lab, "msgsnd", (5, (1, "text")), {}) == make_call("msgsnd", 5, (1, b"text"))
    assert call_of(lab, "bind", (3, ktrace.inet("127.0.0.1", 80)), {}).args[1]["sin_addr"] == "127.0.0.1"
    assert call_of(lab, "bind", (3, ktrace.unix("\0name")), {}).args[1]["sun_path"] == b"\0name"
    assert call_of(lab, "sigaction", (10, constants.RECORD), {}) == make_call("sigaction", 10, "RECORD")
    with pytest.raises(ktrace.UsageError, match="'nowhere' is no IP address"):
        ktrace.inet("nowhere", 80)


def test_an_actor_has_every_call_of_the_vocabulary() -> None:
    a = Actor(ktrace.lab(), "A")
    assert {"read", "semop", "send", "mkfifo", "store", "exit"} <= set(CALLS) <= set(dir(a))
    assert all(getattr(a, name).__doc__ for name in CALLS)
    assert "write write(fd, buf, count=…)" in str(a.write.__doc__)
    assert not hasattr(a, "wriet")


def test_a_lab_that_has_not_begun_says_so() -> None:
    lab = ktrace.lab()
    with pytest.raises(ktrace.UsageError, match="this lab has not begun"):
        lab.spawn()
    with pytest.raises(ktrace.UsageError, match="no image 'lab-0'"):
        ktrace.lab("lab-0").__enter__()
    with pytest.raises(ktrace.UsageError):
        ktrace.lab(events=["no:such:event"])


def world() -> World:
    """Return two actors whose descriptor 3 is not the same."""
    objects: dict[Ref, object] = {}
    for number, name in enumerate("AB"):
        pipe, file, table = Ref("pipe", f"pipe{number}"), Ref("file", f"file{number}"), Ref("fdtable", f"t{number}")
        objects[Ref("process", name)] = Process(name, 10 + number, table, 0, 0, 0, 0)
        objects[table] = DescriptorTable(1, {3: Descriptor(file, False), 4: Descriptor(None, False)})
        objects[file] = File("pipefifo_fops", "r", (), 1, pipe)
        objects[pipe] = f"pipe of {name}"
    return World(objects)


def test_what_is_looked_up_is_found_or_said_not_to_be() -> None:
    seen = world()
    assert process_of(seen, "B").pid == 11
    assert file_of(seen, "A", 3).target == Ref("pipe", "pipe0")
    for wrong, said in (
        (lambda: behind_any(seen, 3, "pipe"), "descriptor 3 is pipe0 in A and pipe1 in B"),
        (lambda: behind_any(seen, 5, "pipe"), "no actor has a descriptor 5"),
        (lambda: behind_any(seen, 3, "socket"), "descriptor 3 of A is a pipe, not a socket"),
        (lambda: file_of(seen, "A", 4), "there is no open file"),
        (lambda: file_of(seen, "A", 9), "A has no descriptor 9"),
        (lambda: process_of(seen, "C"), "no actor 'C' lives"),
        (lambda: with_id(seen, MsgQueue, 0, None), "there is no msg 0"),
    ):
        with pytest.raises(ktrace.UsageError, match=said):
            wrong()
