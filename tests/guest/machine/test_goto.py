"""Going back to a step of a session: the same objects, the same names, the same addresses."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.machine.checkpoints import DIRECTORY
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.session import FILE_NAME
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.goto import guest_at_step
from ktrace.verify.guests import prepare_guests
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.sessions import run_session
from ktrace.workload.parser import parse_script
from tests.sinks import Record

# Descriptors, undo lists and addresses come again; a port is drawn by chance; B sleeps while others go on.
SCRIPT = """## going back
A: semget(IPC_PRIVATE, 1, 0600) -> s
A: fork() -> B
B: semop(s, [{0, 1, SEM_UNDO}])
B: exit(0)
A: fork() -> C
C: semop(s, [{0, -1, 0}])   # blocked
A: semop(s, [{0, 1, SEM_UNDO}])
A: socket(AF_INET, SOCK_STREAM) -> l
A: listen(l, 1)
A: socket(AF_INET, SOCK_STREAM) -> c
A: close(c)
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with checkpoints after steps 5 and 10."""
    place = tmp_path_factory.mktemp("goto") / "session"
    options = SessionOptions(place, checkpoint=5)
    end = run_session(prepare_guests(GuestOptions()), parse_script(SCRIPT, "back"), Record(), options)
    assert end.status == "agreed"
    return place


@pytest.fixture
def session(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it; goto leaves nothing among the sessions that are kept."""
    monkeypatch.setattr("ktrace.trace.session.sessions_directory", lambda: tmp_path / "kept")
    place = tmp_path / "session"
    place.mkdir()
    shutil.copy(recorded / FILE_NAME, place)
    (place / DIRECTORY).symlink_to(recorded / DIRECTORY)
    yield place
    assert list((tmp_path / "kept").glob("*")) == []


def seen(session: Path, number: int, anew: bool, moved: bool) -> tuple[World, dict[Ref, int]]:
    with guest_at_step(session, number, anew, moved) as guest:
        return guest.inspection.look(), guest.inspection.namer.addresses


@pytest.mark.parametrize("number", [5, 7, 12])
def test_all_is_as_it_was(session: Path, number: int) -> None:
    (recorded,) = [step for step in SessionReader(session).steps() if step.number == number]
    # Which page a socket's slab gets (steps 9 and 11) depends on what timers gave back meanwhile.
    moved = number > 8
    kept, anew = seen(session, number, False, moved), seen(session, number, True, moved)
    assert kept[0].objects.keys() == anew[0].objects.keys() == recorded.world.objects.keys()
    if not moved:
        assert kept[1] == anew[1]
        assert recorded.addresses.items() <= kept[1].items()
    if number == 5:  # the checkpoint itself: to the second
        assert kept[0] == recorded.world


Change = Callable[[str], str]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace('"undo_list:undo_list1":"ffff888', '"undo_list:undo_list1":"ffff889'), "is at"),
        (lambda text: text.replace('"max_fds":64', '"max_fds":63'), "max_fds"),
        (lambda text: text.replace('"build_id":"', '"build_id":"0'), "another build"),
    ],
)
def test_what_is_not_as_the_session_says_is_refused(session: Path, change: Change, complaint: str) -> None:
    file = session / FILE_NAME
    changed = change(file.read_text())
    assert changed != file.read_text()
    file.write_text(changed)
    with pytest.raises(UsageError, match=complaint), guest_at_step(session, 4, anew=True):
        pass


def test_there_is_no_such_step(session: Path) -> None:
    with pytest.raises(UsageError, match="has 12 steps, not 13"), guest_at_step(session, 13):
        pass


def test_a_checkpoint_that_is_damaged_is_gone_by(session: Path, recorded: Path) -> None:
    (session / DIRECTORY).unlink()
    shutil.copytree(recorded / DIRECTORY, session / DIRECTORY)
    state = session / DIRECTORY / "10" / "state"
    state.chmod(0o600)
    state.write_bytes(bytes([state.read_bytes()[0] ^ 1]) + state.read_bytes()[1:])
    told: list[str] = []
    with guest_at_step(session, 10, moved=True, notify=lambda text: told.append(text)) as guest:
        assert guest.inspection.look().objects
    assert told[0] == "the checkpoint after step 10 cannot be used: its state is not as it was written"
    assert "from the checkpoint after step 5" in told[-1]
