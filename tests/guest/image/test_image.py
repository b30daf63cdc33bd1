"""The lab kernel is what its fragments promise, seen from inside and from outside."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import drgn
import pytest
from drgn.helpers.linux.pid import find_task
from drgn.helpers.linux.slab import find_slab_cache
from elftools.elf.elffile import ELFFile

from ktrace.agent.ops import Spawn
from ktrace.agent.reports import Spawned
from ktrace.errors import GuestPanic
from ktrace.image.elf import read_elf_facts
from ktrace.image.foreign import KernelFiles, import_image
from ktrace.image.image import Image
from ktrace.image.initramfs import build_initramfs
from ktrace.image.kconfig import merge_fragments, parse_config
from ktrace.image.progress import Silent
from ktrace.image.recipe import load_recipe
from ktrace.image.store import digest_file, open_store
from ktrace.inspect.kernel import LiveKernel
from ktrace.machine.accel import TCG
from ktrace.machine.machine import Machine
from ktrace.verify.lab import read_vmcoreinfo
from tests.unit.agent.actors import Lab as Hands
from tests.unit.agent.actors import blocked

UD2 = b"\x0f\x0b"


@pytest.fixture
def prog(machine: Machine, image: Image) -> drgn.Program:
    vmcoreinfo = read_vmcoreinfo(machine.memory, machine.hello.vmcoreinfo_address, machine.hello.vmcoreinfo_size)
    return LiveKernel.attach(machine.memory, image.vmlinux, vmcoreinfo).prog


def test_the_running_kernel_is_the_one_on_disk(machine: Machine, image: Image) -> None:
    assert machine.hello.build_id.hex() == image.build_id
    assert read_elf_facts(image.kernel).build_id == image.build_id


def test_files_are_what_the_manifest_says(image: Image) -> None:
    for name, digest in image.manifest["outputs"].items():
        assert digest_file(image.directory / name) == digest, name


def test_final_configuration_has_every_option_asked_for(image: Image) -> None:
    assert image.config
    final = parse_config(image.config.read_text(), "config").options
    asked = merge_fragments(load_recipe(image.name).kernel.read_fragments())
    assert {option: final.get(option, "n") for option in asked} == {
        option: value for option, (value, _) in asked.items()
    }


def test_nobody_and_nowhere_built_it(machine: Machine) -> None:
    version = machine.agent.read_file("/proc/version").decode()
    assert "(ktrace@lab)" in version
    assert "#1 SMP Thu Jan  1 00:00:00 UTC 1970" in version


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/proc/sys/kernel/sem_next_id", rb"-1"),  # CHECKPOINT_RESTORE
        ("/proc/sysvipc/shm", rb"shmid"),
        ("/proc/net/packet", rb"Type"),
        ("/proc/net/tcp6", rb"remote_address"),
        ("/proc/kallsyms", rb" [tT] pipe_write\n"),
        ("/proc/self/ns/ipc", rb""),
        ("/proc/self/pagemap", rb""),
        ("/sys/kernel/vmcoreinfo", rb"[0-9a-f]+ [0-9a-f]+"),
        ("/sys/kernel/slab/kmalloc-1k/object_size", rb"1024"),  # SLUB with its sysfs
        ("/proc/sys/fs/pipe-max-size", rb"1048576"),
        ("/sys/module/qemu_fw_cfg/parameters/ioport", rb""),
    ],
)
def test_what_the_workloads_and_readers_need_is_there(machine: Machine, path: str, pattern: bytes) -> None:
    if "/ns/" in path or path.endswith(("pagemap", "ioport")):
        machine.agent.read_file(path, limit=0)
    else:
        assert re.search(pattern, machine.agent.read_file(path))


def test_a_blocked_call_can_be_unwound(machine: Machine, prog: drgn.Program) -> None:
    hands = Hands(machine.agent)
    (spawned,) = hands.step(Spawn(0)).events
    assert isinstance(spawned, Spawned)
    assert blocked(hands.step(hands.reading(0, hands.pipe(0)[0], 1))) == {0}
    names = [frame.name for frame in prog.stack_trace(find_task(prog, spawned.pid))]
    assert [name for name in names if name in ("schedule", "pipe_read", "vfs_read", "do_syscall_64")] == [
        "schedule",
        "pipe_read",
        "vfs_read",
        "do_syscall_64",
    ]


def test_slab_caches_can_be_read(prog: drgn.Program) -> None:
    cache = find_slab_cache(prog, "dentry")
    assert cache
    assert cache.object_size.value_() == prog.type("struct dentry").size


def test_an_import_of_the_same_kernel_boots(image: Image, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    mine = import_image("mine", KernelFiles(image.vmlinux, config=image.config), store=store)
    assert mine.build_id == image.build_id
    assert mine.kernel.read_bytes() == image.kernel.read_bytes()
    with Machine.boot(mine, directory=tmp_path / "machine", accel=TCG) as machine:
        assert machine.hello.build_id.hex() == image.build_id


def spoil(vmlinux: Path, function: str, broken: Path) -> None:
    """Copy a vmlinux and make one of its functions begin with an invalid instruction."""
    shutil.copyfile(vmlinux, broken)
    with broken.open("r+b") as stream:
        elf = ELFFile(stream)
        (symbol,) = elf.get_section_by_name(".symtab").get_symbol_by_name(function)
        section = elf.get_section(symbol["st_shndx"])
        stream.seek(section["sh_offset"] + symbol["st_value"] - section["sh_addr"])
        stream.write(UD2)


def test_an_import_that_panics_says_so(image: Image, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    spoil(image.vmlinux, "init_pipe_fs", tmp_path / "vmlinux")
    mine = import_image("broken", KernelFiles(tmp_path / "vmlinux"), store=store)
    with pytest.raises(GuestPanic) as caught, Machine.boot(mine, directory=tmp_path / "machine", accel=TCG):
        pass
    assert "init_pipe_fs" in caught.value.console


def test_initramfs_is_reproducible(image: Image, tmp_path: Path) -> None:
    scratch, output = tmp_path / "scratch", tmp_path / "output"
    scratch.mkdir()
    output.mkdir()
    build_initramfs(load_recipe(image.name).initramfs, scratch, output, Silent())
    assert (output / "initramfs").read_bytes() == image.initramfs.read_bytes()
