"""QMP against an other end that says what a real one says, and what it should not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from ktrace.errors import HostError
from ktrace.machine.qmp import Qmp, QmpClosed

GREETING = {"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": []}}


class Peer:
    """QEMU's end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(10)

    def say(self, *messages: Any) -> None:
        """Send messages, each a line."""
        self.connection.sendall(b"".join(json.dumps(message).encode() + b"\r\n" for message in messages))

    def heard(self) -> list[dict[str, Any]]:
        """Return the commands that came so far."""
        return [json.loads(line) for line in self.connection.recv(65536).splitlines()]


@pytest.fixture
def ends() -> Iterator[tuple[Qmp, Peer]]:
    """Both ends."""
    ours, its = socket.socketpair()
    with its:
        qmp = Qmp(ours)
        yield qmp, Peer(its)
        qmp.close()


def test_commands_are_on_their_way_before_anyone_listens(ends: tuple[Qmp, Peer]) -> None:
    qmp, peer = ends
    qmp.post("migrate-incoming", uri="fd:7")
    assert [(m["execute"], m["id"]) for m in peer.heard()] == [("qmp_capabilities", 1), ("migrate-incoming", 2)]


def test_an_answer_is_found_among_events_and_earlier_answers(ends: tuple[Qmp, Peer]) -> None:
    qmp, peer = ends
    qmp.post("first")
    stop = {"event": "STOP", "data": {"n": 1}}
    peer.say(
        GREETING, {"return": {}, "id": 1}, stop, {"return": {}, "id": 2}, {"return": {"status": "paused"}, "id": 3}
    )
    assert qmp.command("query-status") == {"status": "paused"}
    assert qmp.wait_event("STOP", monotonic() + 10) == {"n": 1}


def test_a_refusal_names_the_command(ends: tuple[Qmp, Peer]) -> None:
    qmp, peer = ends
    peer.say(GREETING, {"return": {}, "id": 1}, {"error": {"class": "GenericError", "desc": "not now"}, "id": 2})
    with pytest.raises(HostError, match="QEMU refuses 'cont': not now"):
        qmp.command("cont")


def test_a_refusal_of_a_posted_command_comes_with_the_next(ends: tuple[Qmp, Peer]) -> None:
    qmp, peer = ends
    qmp.post("migrate-incoming", uri="x")
    peer.say(GREETING, {"return": {}, "id": 1}, {"error": {"desc": "no such fd"}, "id": 2}, {"return": {}, "id": 3})
    with pytest.raises(HostError, match="QEMU refuses 'migrate-incoming': no such fd"):
        qmp.command("query-status")


def test_a_descriptor_travels_along(ends: tuple[Qmp, Peer]) -> None:
    qmp, peer = ends
    peer.say(GREETING, {"return": {}, "id": 1}, {"return": {}, "id": 2})
    with open("/dev/null", "rb") as stream:
        qmp.command("getfd", fd=stream.fileno(), fdname="state")
    peer.connection.recv(len('{"execute":"qmp_capabilities","id":1}\n'))
    _, fds, _, _ = socket.recv_fds(peer.connection, 65536, 2)
    assert len(fds) == 1
    socket.close(fds[0])


@pytest.mark.parametrize("line", [b"hello\n", b"[1, 2]\n", b"\xff\xfe\n"])
def test_what_is_no_qmp_is_refused(ends: tuple[Qmp, Peer], line: bytes) -> None:
    qmp, peer = ends
    peer.connection.sendall(line)
    with pytest.raises(HostError, match="which is no"):
        qmp.command("query-status")


def test_silence_has_a_deadline(ends: tuple[Qmp, Peer]) -> None:
    qmp, _ = ends
    with pytest.raises(HostError, match="QEMU does not answer 'query-status'"):
        qmp.command("query-status", seconds=0.05)


def test_an_end_is_told(ends: tuple[Qmp, Peer]) -> None:
    qmp, peer = ends
    peer.connection.close()
    with pytest.raises(QmpClosed):
        qmp.command("query-status")
