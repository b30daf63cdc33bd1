"""The QEMU command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import HostError
from ktrace.machine.qemu import (
    MICROVM,
    PC,
    Launch,
    Payload,
    choose_board,
    escape,
    kernel_command_line,
    qemu_argv,
)
from ktrace.machine.spec import GuestSpec

SPEC = GuestSpec("lab", "abcd", "microvm", "tcg", 64)
CLONE = Launch(spec=SPEC, ram_fd=11, qmp_fd=12, agent_fd=13, console=Path("/tmp/c"), state_fd=14)
BOOT = replace(CLONE, state_fd=None, payload=Payload(Path("/k"), Path("/i"), "console=ttyS0"))


@pytest.fixture(autouse=True)
def qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, so that these tests need no QEMU."""
    program = tmp_path / "qemu-system-x86_64"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def options(argv: list[str]) -> dict[str, list[str]]:
    """Group values by flag."""
    grouped: dict[str, list[str]] = {}
    flag = ""
    for word in argv[1:]:
        if word.startswith("-"):
            flag = word
            grouped.setdefault(flag, [])
        else:
            grouped[flag].append(word)
    return grouped


def test_a_boot_gets_a_kernel_and_a_clone_waits_for_state() -> None:
    boot, clone = options(qemu_argv(BOOT)), options(qemu_argv(CLONE))
    assert boot["-kernel"] == ["/k"]
    assert boot["-append"] == ["console=ttyS0"]
    assert "-incoming" not in boot
    assert clone["-incoming"] == ["defer"]
    assert not {"-kernel", "-initrd", "-append"} & clone.keys()
    different = {"-kernel", "-initrd", "-append", "-incoming"}
    assert {k: v for k, v in boot.items() if k not in different} == {
        k: v for k, v in clone.items() if k not in different
    }


def test_nothing_leads_out_of_the_machine() -> None:
    argv = qemu_argv(BOOT)
    given = options(argv)
    assert given["-nic"] == ["none"]
    assert {"-nodefaults", "-no-user-config", "-no-reboot"} <= given.keys()
    assert not [word for word in argv if "tcp" in word or "host=" in word or "port=" in word or "hostfwd" in word]


def test_descriptors_are_inherited_and_named() -> None:
    argv = " ".join(qemu_argv(CLONE))
    assert "mem-path=/proc/self/fd/11,size=64M,share=on" in argv
    assert "socket,id=qmp,fd=12" in argv
    assert "socket,id=agent,fd=13" in argv
    assert CLONE.descriptors == (11, 12, 13, 14)
    assert BOOT.descriptors == (11, 12, 13)


def test_a_second_monitor_only_on_request() -> None:
    assert len(options(qemu_argv(CLONE))["-mon"]) == 1
    watched = options(qemu_argv(replace(CLONE, monitor_fd=15)))
    assert "socket,id=monitor,fd=15,server=on,wait=off" in watched["-chardev"]


def test_the_cpu_is_plain_under_tcg_and_the_hosts_under_kvm() -> None:
    assert options(qemu_argv(BOOT))["-cpu"] == ["Nehalem-v1,+arat"]
    assert options(qemu_argv(replace(BOOT, spec=replace(SPEC, accel="kvm"))))["-cpu"] == ["host"]
    assert options(qemu_argv(replace(BOOT, spec=replace(SPEC, accel="kvm"))))["-accel"] == ["kvm"]


def test_each_board_has_its_own_transport() -> None:
    assert "virtio-serial-device" in options(qemu_argv(BOOT))["-device"]
    assert "virtio-serial-pci" in options(qemu_argv(replace(BOOT, spec=replace(SPEC, board="pc"))))["-device"]


def test_a_comma_in_a_path_stays_in_the_path() -> None:
    assert escape("/a,b") == "/a,,b"
    argv = qemu_argv(replace(CLONE, console=Path("/tmp/a,logfile=b")))
    assert "file,id=console,path=/tmp/a,,logfile=b,append=on" in argv


def test_no_qemu(qemu: Path) -> None:
    qemu.unlink()
    with pytest.raises(HostError, match="no 'qemu-system-x86_64'"):
        qemu_argv(BOOT)


def test_the_kernels_command_line() -> None:
    line = kernel_command_line(MICROVM, 2_400_000, "quiet -- --stdio").split()
    assert line[0] == "console=ttyS0"
    assert {"panic=-1", "nokaslr", "tsc_early_khz=2400000", "tsc=reliable", "quiet"} <= set(line)
    assert line[-2:] == ["--", "--stdio"]
    assert "tsc" not in kernel_command_line(PC, None)


def test_the_board_follows_what_the_kernel_can_do(tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinux"
    kernel.write_bytes(b"\x7fELF" + b"\0start_kernel\0vm_cmdline_set\0")
    assert choose_board(kernel) is MICROVM
    kernel.write_bytes(b"\x7fELF" + b"\0start_kernel\0my_vm_cmdline_set\0")
    assert choose_board(kernel) is PC
