"""The virtio-serial port seen from a host that comes, goes, and breaks off."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from ktrace.agent.client import Agent
from ktrace.agent.frames import FrameType, encode_frame
from ktrace.agent.ops import Call, Spawn
from ktrace.agent.reports import Completed
from ktrace.image.image import find_image

DEADLINE = 30.0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"


class Port:
    """A guest whose port is a listening socket, unlike a machine's."""

    def __init__(self, directory: Path, process: subprocess.Popen[bytes]) -> None:
        self.path = directory / "port"
        self.log = directory / "console"
        self.process = process

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(DEADLINE)
        connection.connect(str(self.path))
        return connection

    def console(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Port]:
    image = find_image("lab-6.1")
    argv = [
        *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-accel", "tcg", "-m", "64", "-M", "microvm,acpi=off", "-nic", "none"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initramfs)),
        *("-append", "console=ttyS0 reboot=t panic=-1 loglevel=5"),
        *("-serial", f"file:{tmp_path / 'console'}"),
        *("-chardev", f"socket,id=agent,server=on,wait=off,path={tmp_path / 'port'}"),
        *("-device", "virtio-serial-device", "-device", "virtserialport,chardev=agent,name=org.ktrace.agent"),
    ]
    with subprocess.Popen(argv) as process:
        guest = Port(tmp_path, process)
        try:
            wait_for(lambda: "ktrace-agent: ready" in guest.console())
            yield guest
        finally:
            process.kill()


def test_host_comes_late_leaves_and_comes_back(port: Port) -> None:
    with Agent.of_socket(port.connect()) as agent:
        agent.step(Spawn(0))
    with Agent.of_socket(port.connect()) as agent:
        assert agent.hello().live == 1
        assert agent.step(Call(0, 3, (0,))).events == (Completed(0, -9),)


def test_frame_broken_off_by_a_leaving_host_is_dropped(port: Port) -> None:
    with port.connect() as connection:
        connection.sendall(encode_frame(FrameType.HELLO, 1)[:7])
    wait_for(lambda: "host left inside a frame, dropped bytes 7" in port.console())
    with Agent.of_socket(port.connect()) as agent:
        assert agent.hello().live == 0


def test_large_frames_pass_the_port_in_pieces(port: Port) -> None:
    data = bytes(range(256)) * 12_000
    with Agent.of_socket(port.connect()) as agent:
        agent.write_file("/tmp/large", data, create=True)
        assert agent.read_file("/tmp/large") == data
