"""Kernels in the directory in which a person built them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.image.build_tree import BZIMAGE, build_files
from ktrace.image.foreign import import_image
from ktrace.image.progress import Silent
from ktrace.image.store import Store
from tests.unit.image.conftest import CONFIGURED
from tests.unit.image.module_files import make_modules
from tests.unit.image.test_foreign import bzimage

Link = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path, kernel: Path) -> Path:
    """A source tree in which a kernel was built."""
    top = tmp_path / "linux"
    (top / "arch" / "x86").mkdir(parents=True)
    (top / "Kconfig").write_text("config SYSVIPC\n\tbool\n")
    (top / ".config").write_text("CONFIG_SYSVIPC=y\n")
    shutil.copy(kernel, top / "vmlinux")
    return top


class Notes(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)


def test_a_built_tree_becomes_an_image(tree: Path, store: Store) -> None:
    image = import_image("mine", build_files(tree, Silent()), store=store)
    assert image.vmlinux.read_bytes() == (tree / "vmlinux").read_bytes()
    assert image.config is not None
    assert image.config.read_text() == "CONFIG_SYSVIPC=y\n"
    assert image.manifest["kernel"]["inputs"].get("modules") is None


def test_a_directory_of_its_own(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "source").symlink_to(tree)
    shutil.move(tree / "vmlinux", out)
    files = build_files(out, Silent())
    assert (files.vmlinux, files.boot, files.config) == (out / "vmlinux", None, None)


def test_modules_are_found_where_they_were_built(tree: Path, link: Link, store: Store) -> None:
    plain = CONFIGURED.replace("void virtcons_probe(void) {}", "").replace("vm_cmdline_set", "virtio_pci_probe")
    shutil.copy(link("modular", "-g", "-Wl,--build-id=sha1", configured=plain), tree / "vmlinux")
    with pytest.raises(UsageError, match="has no virtio console or as a module"):
        import_image("mine", build_files(tree, Silent()), store=store)
    make_modules(tree)
    image = import_image("mine", build_files(tree, Silent()), store=store)
    assert image.manifest["kernel"]["inputs"]["modules"] == ["virtio_ring", "virtio", "virtio_console"]


def test_without_pvh_the_bzimage_is_booted(tree: Path, link: Link, store: Store) -> None:
    path = link("plain", "-g", "-Wl,--build-id=sha1", pvh=False)
    shutil.copy(path, tree / "vmlinux")
    with pytest.raises(UsageError, match=f"has no PVH entry, and there is no {BZIMAGE}") as caught:
        build_files(tree, Silent())
    assert f"make -C {tree} bzImage" in (caught.value.hint or "")
    (tree / BZIMAGE).parent.mkdir(parents=True)
    (tree / BZIMAGE).write_bytes(bzimage(path.read_bytes()))
    assert import_image("mine", build_files(tree, Silent()), store=store).manifest["boot_format"] == "bzImage"
    # One that is older than the vmlinux is of another build.
    other = link("other", "-g", "-O2", "-Wl,--build-id=sha1", source="int _start(void) { return 7; }", pvh=False)
    shutil.copy(other, tree / "vmlinux")
    with pytest.raises(UsageError, match=r"build-id \w+ of '.*bzImage' is not"):
        import_image("mine", build_files(tree, Silent()), store=store)


def test_nothing_is_built(tree: Path) -> None:
    (tree / "vmlinux").unlink()
    with pytest.raises(UsageError, match=f"^no kernel is built in '{tree}': it has no vmlinux(?:\n|$)") as caught:
        build_files(tree, Silent())
    assert caught.value.hint == f"run: make -C {tree} -j4"


def test_what_is_no_build_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is neither a kernel's source tree nor its build directory"):
        build_files(tmp_path, Silent())
    with pytest.raises(UsageError, match="is neither a kernel's source tree nor its build directory"):
        build_files(tmp_path / "nothing", Silent())


def test_a_configuration_that_was_touched_since(tree: Path) -> None:
    notes = Notes()
    os.utime(tree / ".config", (1, 1))
    build_files(tree, notes)
    assert notes.said == []
    os.utime(tree / "vmlinux", (0, 0))
    build_files(tree, notes)
    assert [text.partition(" is newer")[0] for text in notes.said] == [f"'{tree}/.config'"]


def test_a_kernel_without_debug_information(tree: Path, link: Link) -> None:
    shutil.copy(link("bare", "-s", "-Wl,--build-id=sha1"), tree / "vmlinux")
    with pytest.raises(UsageError, match="has no symbols and DWARF"):
        build_files(tree, Silent())
