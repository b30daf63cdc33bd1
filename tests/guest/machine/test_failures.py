"""Each way a guest can fail is an error of its own, with the end of its console."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from ktrace.errors import GuestDied, GuestError, GuestGarbage, GuestHang, GuestPanic, HostError, UsageError
from ktrace.image.cpio import character_device, directory, regular_file, write_cpio
from ktrace.image.elf import PHYS32_ENTRY, read_notes
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template

#: Name and type of the note that says where a kernel is entered through PVH.
PVH_ENTRY = ("Xen", PHYS32_ENTRY)
#: An init that finds the agent's port and writes what is no frame.
BABBLER = r"""
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int main(void)
{
	char path[300], junk[64] = "this is not the protocol, and it is longer than a header is";
	struct dirent *entry;
	unsigned major, minor;
	DIR *ports;

	mount("sysfs", "/sys", "sysfs", 0, "");
	ports = opendir("/sys/class/virtio-ports");
	while (ports && (entry = readdir(ports))) {
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/dev", entry->d_name);
		FILE *dev = fopen(path, "r");
		if (!dev || fscanf(dev, "%u:%u", &major, &minor) != 2)
			continue;
		mknod("/port", S_IFCHR | 0600, makedev(major, minor));
		int fd = open("/port", O_RDWR);
		printf("babbling\n");
		fflush(stdout);
		while (write(fd, junk, sizeof(junk)) > 0)
			read(fd, path, sizeof(path));
	}
	for (;;)
		pause();
}
"""

SLEEPER = """
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
"""


@dataclass(frozen=True)
class Built:
    """Something bootable that is not in the store."""

    name: str
    kernel: Path
    initramfs: Path
    vmlinux: Path
    build_id: str
    key: str
    memory_mib: int = 64


def other_init(image: Image, source: str, place: Path) -> Built:
    """Give the image's kernel another init."""
    (place / "init.c").write_text(source)
    subprocess.run(["gcc", "-static", "-O1", "-o", "init", "init.c"], cwd=place, check=True, timeout=60)
    entries = [directory("dev"), directory("sys"), character_device("dev/console", 5, 1)]
    entries.append(regular_file("init", (place / "init").read_bytes(), 0o755))
    (place / "initramfs").write_bytes(write_cpio(entries))
    return Built("other", image.kernel, place / "initramfs", image.vmlinux, image.build_id, "none")


def physical(image: Image, symbol: str) -> int:
    """Where a function of the kernel image lies; the lab's kernel is linked for where it is loaded."""
    from elftools.elf.elffile import ELFFile

    with image.vmlinux.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        return int(table.get_symbol_by_name(symbol)[0]["st_value"]) - 0xFFFFFFFF80000000


def test_a_panic_at_boot(image: Image, tmp_path: Path) -> None:
    with pytest.raises(GuestPanic, match=r"panicked: (No working init|Requested init)") as caught:
        Machine.boot(image, directory=tmp_path / "machine", append="rdinit=/nothing init=/nothing")
    assert "Kernel panic - not syncing" in caught.value.console
    assert caught.value.exit_code == 4


def test_a_panic_in_the_middle(machine: Machine, image: Image) -> None:
    machine.agent.write_file("/proc/sys/kernel/panic_on_oops", b"1")
    machine.memory.write(physical(image, "version_proc_show"), b"\x0f\x0b" * 8)  # ud2
    with pytest.raises(GuestPanic, match="Fatal exception") as caught:
        machine.agent.read_file("/proc/version")
    assert "version_proc_show" in caught.value.console
    with pytest.raises(GuestPanic):
        machine.check()


def test_an_agent_that_never_answers(image: Image, tmp_path: Path) -> None:
    built = other_init(image, SLEEPER, tmp_path)
    with pytest.raises(GuestHang, match="deadline") as caught:
        Machine.boot(built, directory=tmp_path / "machine", deadline=4)
    assert isinstance(caught.value, GuestError)


def test_an_agent_whose_port_is_missing(image: Image, tmp_path: Path) -> None:
    with pytest.raises(GuestDied, match="switched itself off or restarted") as caught:
        Machine.boot(image, directory=tmp_path / "machine", append="-- --port org.ktrace.nobody")
    assert "agent ended" in caught.value.console


def test_a_hang_brings_the_console_along(machine: Machine) -> None:
    machine.pause()
    with pytest.raises(GuestHang) as caught, machine:
        machine.agent.hello(timeout=0.3)
    assert "ktrace" in caught.value.console or caught.value.console == machine.console_tail()


def test_an_agent_that_ends(image: Image, tmp_path: Path) -> None:
    with pytest.raises(GuestDied, match="switched itself off or restarted") as caught:
        Machine.boot(image, directory=tmp_path / "machine", append="-- --nonsense")
    assert "agent ended" in caught.value.console


def test_a_kernel_that_finds_no_port(image: Image, tmp_path: Path) -> None:
    """The lab's kernel has no PCI; told that it has no virtio-mmio, it is given a machine with PCI."""
    vmlinux = tmp_path / "vmlinux"
    vmlinux.write_bytes(b"\x7fELF without symbols")
    with pytest.raises(GuestDied) as caught:
        Machine.boot(replace(image, vmlinux=vmlinux), directory=tmp_path / "machine")
    assert "ktrace-agent: no virtio port of that name" in caught.value.console


def test_garbage_on_the_agents_port(image: Image, tmp_path: Path) -> None:
    built = other_init(image, BABBLER, tmp_path)
    with pytest.raises(GuestGarbage) as caught:
        Machine.boot(built, directory=tmp_path / "machine")
    assert "babbling" in caught.value.console


def test_qemu_killed_by_someone(machine: Machine) -> None:
    os.kill(machine.pid, signal.SIGKILL)
    with pytest.raises(GuestDied, match="QEMU was ended by SIGKILL"):
        machine.agent.hello()
    with pytest.raises(GuestDied):
        machine.pause()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_qemu_that_is_told_to_end(machine: Machine, number: signal.Signals) -> None:
    """It exits with status 0, as it does where the guest restarts."""
    os.kill(machine.pid, number)
    with pytest.raises(GuestDied, match=rf"^QEMU was ended by {number.name} from process {os.getpid()} \(.*\)(?:\n|$)"):
        machine.agent.hello(timeout=5)


def test_use_after_kill(machine: Machine) -> None:
    machine.kill()
    with pytest.raises(GuestDied):
        machine.agent.hello()
    machine.close()
    machine.close()


def test_a_kernel_that_qemu_cannot_load(image: Image, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"cannot read '.*none': No such file"):
        Machine.boot(replace(image, kernel=tmp_path / "none"), directory=tmp_path / "machine")
    (tmp_path / "junk").write_bytes(b"junk" * 1000)
    with pytest.raises(HostError, match=r"QEMU cannot start this guest, it exited with status 1: .*"):
        Machine.boot(replace(image, kernel=tmp_path / "junk"), directory=tmp_path / "machine")


@pytest.mark.parametrize("mib", [8, 16, 30])
def test_a_memory_that_cannot_hold_the_kernel_is_refused(image: Image, tmp_path: Path, mib: int) -> None:
    with pytest.raises(UsageError, match=f"^the kernel needs more than {mib} MiB: --memory 64(?:\n|$)"):
        Machine.boot(image, directory=tmp_path / "machine", memory_mib=mib)
    assert not (tmp_path / "machine").exists()


@pytest.mark.parametrize("mib", [32, 36])
def test_a_kernel_that_runs_out_of_memory_says_how_much_it_needs(image: Image, tmp_path: Path, mib: int) -> None:
    with pytest.raises(GuestPanic, match=f"^the kernel needs more than {mib} MiB: --memory 64(?:\n|$)") as caught:
        Machine.boot(image, directory=tmp_path / "machine", memory_mib=mib)
    assert "memory" in (caught.value.hint or "")
    assert "Kernel panic" in caught.value.console


def test_a_guest_that_restarts_without_a_word_may_need_memory(image: Image, tmp_path: Path) -> None:
    """An entry of one invalid instruction: without a handler for it, the processor resets."""
    shutil.copyfile(image.kernel, tmp_path / "kernel")
    with (tmp_path / "kernel").open("r+b") as stream:
        elf = ELFFile(stream)
        (entry,) = [
            int.from_bytes(desc[:8], "little") for name, kind, desc in read_notes(elf) if (name, kind) == PVH_ENTRY
        ]
        segment = next(one for one in elf.iter_segments("PT_LOAD") if 0 <= entry - one["p_paddr"] < one["p_filesz"])
        stream.seek(segment["p_offset"] + entry - segment["p_paddr"])
        stream.write(b"\x0f\x0b")
    with pytest.raises(GuestDied, match=r"^the guest restarted before its kernel said anything(?:\n|$)") as caught:
        Machine.boot(replace(image, kernel=tmp_path / "kernel"), directory=tmp_path / "machine")
    assert caught.value.hint == "it may need more memory than 64 MiB: --memory 128"


def test_a_damaged_template(template: Template, tmp_path: Path) -> None:
    shutil.copytree(template.directory, tmp_path / "template")
    damaged = replace(template, directory=tmp_path / "template")
    damaged.state.chmod(0o600)
    damaged.state.write_bytes(template.state.read_bytes()[:5000])
    with pytest.raises(HostError, match="load of migration failed") as caught:
        Machine.clone(damaged, directory=tmp_path / "machine")
    assert caught.value.hint is not None
    assert "template" in caught.value.hint


def test_a_template_whose_ram_is_cut_off(template: Template, tmp_path: Path) -> None:
    shutil.copytree(template.directory, tmp_path / "template")
    damaged = replace(template, directory=tmp_path / "template")
    damaged.ram.chmod(0o600)
    with damaged.ram.open("r+b") as stream:
        stream.truncate(8 << 20)
    with pytest.raises(HostError, match="RAM ends"):
        Machine.clone(damaged, directory=tmp_path / "machine")


def test_a_directory_that_is_none(template: Template, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="file"):
        Machine.clone(template, directory=tmp_path / "file" / "machine")


def test_no_qemu(template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="no 'qemu-system-x86_64'") as caught:
        Machine.clone(template, directory=tmp_path / "machine")
    assert "apt-get install qemu-system-x86" in str(caught.value.hint)


def test_no_room_for_a_checkpoint(machine: Machine, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(HostError, match="cannot save the guest"):
            machine.checkpoint(tmp_path / "saved")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (tmp_path / "saved" / "template.json").exists()
    machine.agent.hello()
