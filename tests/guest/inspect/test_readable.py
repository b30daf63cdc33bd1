"""A kernel that cannot be read is told from its file alone, with what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import KernelLacks
from ktrace.image.elf import read_elf_facts
from ktrace.image.foreign import KernelFiles, import_image
from ktrace.image.image import Image
from ktrace.image.store import open_store
from ktrace.inspect import members
from ktrace.inspect.names_of_kernel import read_names
from ktrace.verify.readable import missing_members, require_readable


def hide(monkeypatch: pytest.MonkeyPatch, *hidden: str) -> None:
    """Have kernels lack some members, as an older one does: ``ns.count`` is of 5.11."""
    real = members.find_member

    def find(type_: Any, path: str) -> Any:
        return None if path in hidden else real(type_, path)

    monkeypatch.setattr(members, "find_member", find)


def test_the_lab_kernel_lacks_nothing(image: Image) -> None:
    assert missing_members(image.vmlinux) == []
    require_readable(image.vmlinux)


def test_what_an_older_kernel_lacks_is_named_and_its_import_refused(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "ns.count.refs.counter", "ns.__ns_ref.refs.counter")
    store = open_store(tmp_path / "store")
    with pytest.raises(
        KernelLacks, match=r"^Linux 6\.1.* cannot be read: struct ipc_namespace has no member"
    ) as caught:
        import_image("old", KernelFiles(image.vmlinux), store=store, check=require_readable)
    assert caught.value.exit_code == 2 and caught.value.hint is not None
    assert store.read_ref("old") is None
    assert not list((tmp_path / "store").glob("kernels/*/vmlinux"))


def test_what_only_some_structures_need_is_no_reason(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "sk_mark")
    assert missing_members(image.vmlinux) == []


def test_names_are_read_of_the_file_alone(image: Image) -> None:
    names = read_names(image.vmlinux)
    assert {"struct pipe_inode_info.tmp_page", "struct file.f_count.counter"} <= names.members
    assert "struct pipe_inode_info.prealloc.count" not in names.members
    assert {"vfs_read", "ksys_write"} <= names.functions
    assert read_elf_facts(image.vmlinux).has_dwarf
