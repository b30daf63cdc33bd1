"""Small ELF files that look like kernels, made by the real assembler, compiler and linker."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ktrace.image.build import DEFAULT_RECIPE, ensure_initramfs
from ktrace.image.progress import Silent
from ktrace.image.recipe import load_recipe
from ktrace.image.store import Store, open_store

SOURCE = """
struct pipe_inode_info { unsigned int head, tail; } the_pipe;
int _start(void) { return the_pipe.head; }
"""
# What a kernel has that was configured for us (ktrace.image.needs.NEEDS).
CONFIGURED = """
void virtcons_probe(void) {}
void vm_cmdline_set(void) {}
void populate_rootfs(void) {}
char vmcoreinfo_data[4096];
void ipc_init_ids(void) {}
"""
# The note that QEMU's PVH loader looks for: Xen, XEN_ELFNOTE_PHYS32_ENTRY, address of 8 bytes
PVH_NOTE = """
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad 0x1000000
"""


@pytest.fixture
def link(tmp_path: Path) -> Callable[..., Path]:
    """Make an ELF file.

    link(name, *flags, pvh=True, source=SOURCE, configured=CONFIGURED) compiles, links and returns its path.
    """

    def make(name: str, *flags: str, pvh: bool = True, source: str = SOURCE, configured: str = CONFIGURED) -> Path:
        (tmp_path / "kernel.c").write_text(source + configured)
        (tmp_path / "note.S").write_text(PVH_NOTE if pvh else "")
        path = tmp_path / name
        subprocess.run(
            ["gcc", "-nostdlib", "-static", "-Wl,-z,noexecstack", "-o", path, *flags, "kernel.c", "note.S"],
            cwd=tmp_path,
            check=True,
        )
        return path

    return make


@pytest.fixture
def kernel(link: Callable[..., Path]) -> Path:
    """A vmlinux with everything: DWARF 5, symbols, build-id, PVH entry."""
    return link("vmlinux", "-gdwarf-5", "-Wl,--build-id=sha1")


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has today's initramfs: compiling the agent once is enough."""
    store = open_store(tmp_path_factory.mktemp("warm") / "store")
    ensure_initramfs(load_recipe(DEFAULT_RECIPE).initramfs, store, Silent())
    return store.root


@pytest.fixture
def store(tmp_path: Path, warm: Path) -> Store:
    shutil.copytree(warm, tmp_path / "store")
    return open_store(tmp_path / "store")
