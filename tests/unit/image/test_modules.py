"""Which modules a guest gets, and in which order: from what Debian 12's modules say of themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.image.modules import ModuleTree, pack_modules, read_module, unpack_module
from ktrace.image.needs import NEEDS, SYMBOLS, not_built_in
from tests.unit.image.module_files import RELEASE, VIRTIO, make_module, make_modules

TRANSPORT, CONSOLE = (need.modalias or "" for need in NEEDS[:2])
ORDER = ["virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio", "virtio_pci", "virtio_console"]


@pytest.mark.parametrize("suffix", ["", ".xz", ".gz"])
def test_virtio_of_debian_12_in_its_order(tmp_path: Path, suffix: str) -> None:
    tree = ModuleTree(make_modules(tmp_path, suffix))
    assert tree.serving(TRANSPORT) == ["virtio_pci"]
    assert tree.serving(CONSOLE) == ["virtio_console"]
    assert [module.name for module in tree.in_order(["virtio_pci", "virtio_console"])] == ORDER


def test_depmods_table_is_used_where_it_is_there(tmp_path: Path) -> None:
    make_modules(tmp_path)
    (tmp_path / "modules.alias").write_text("# Aliases\nalias virtio:d00000003v* virtio-rng\nalias x gone\nsymbol: y\n")
    assert ModuleTree(tmp_path).serving(CONSOLE) == ["virtio_rng"]
    assert ModuleTree(tmp_path).serving("x") == []


def test_every_alias_of_a_module_is_seen(tmp_path: Path) -> None:
    make_module(tmp_path / "a.ko", {"alias": "net-pf-10\nnet-pf-10-proto-0\nfs-x\nnet-pf-17"})
    tree = ModuleTree(tmp_path)
    assert tree.serving("net-pf-10") == tree.serving("net-pf-17") == tree.serving("fs-x") == ["a"]
    assert tree.serving("net-pf-1") == []


def test_a_module_tells_what_it_is(tmp_path: Path) -> None:
    data = make_module(
        tmp_path / "virtio-rng.ko.xz", {"depends": "a-b,c", "softdep": "pre: d-e f post: g", "alias": "x"}
    )
    module = read_module(tmp_path / "virtio-rng.ko.xz")
    assert (module.name, module.depends, module.before) == ("virtio_rng", ("a_b", "c"), ("d_e", "f"))
    assert (module.aliases, module.release) == (("x",), RELEASE)
    assert unpack_module(module.path) == data


@pytest.mark.skipif(shutil.which("zstd") is None, reason="no zstd on this machine")
def test_a_module_packed_with_zstd(tmp_path: Path) -> None:
    make_module(tmp_path / "a.ko", {"depends": "b"})
    subprocess.run(["zstd", "--quiet", "--rm", tmp_path / "a.ko"], check=True)
    assert read_module(tmp_path / "a.ko.zst").depends == ("b",)


def test_what_is_wanted_first_comes_first_if_it_is_there(tmp_path: Path) -> None:
    make_module(tmp_path / "a.ko", {"softdep": "pre: b missing"})
    make_module(tmp_path / "b.ko", {"depends": ""})
    assert [module.name for module in ModuleTree(tmp_path).in_order(["a"])] == ["b", "a"]


def test_a_missing_dependency_is_named(tmp_path: Path) -> None:
    make_modules(tmp_path)
    (tmp_path / "kernel/drivers/virtio/virtio_ring.ko").unlink()
    with pytest.raises(UsageError, match="module 'virtio_pci' needs 'virtio_ring', which is not in"):
        ModuleTree(tmp_path).in_order(["virtio_pci"])
    with pytest.raises(UsageError, match="no module 'nothing' in"):
        ModuleTree(tmp_path).in_order(["nothing"])


def test_a_circle_is_named(tmp_path: Path) -> None:
    make_module(tmp_path / "a.ko", {"depends": "b"})
    make_module(tmp_path / "b.ko", {"depends": "a"})
    with pytest.raises(UsageError, match="in a circle: a -> b -> a"):
        ModuleTree(tmp_path).in_order(["a"])


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.ko", b"junk", "is no kernel module"),
        ("a.ko.xz", b"junk", "is damaged"),
        ("a.ko.gz", b"junk", "(is damaged|cannot read module)"),
    ],
)
def test_what_is_no_module(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=message):
        read_module(tmp_path / name)


def test_an_elf_file_that_is_no_module(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no .modinfo"):
        read_module(Path(shutil.which("true") or "/bin/true"))


def test_the_archive_has_what_init_loads(tmp_path: Path) -> None:
    tree = ModuleTree(make_modules(tmp_path / "in", ".xz"))
    (tmp_path / "cpio").write_bytes(pack_modules(tree.in_order(["virtio_pci", "virtio_console"])))
    place = tmp_path / "out"
    place.mkdir()
    if shutil.which("cpio") is None:
        pytest.skip("no cpio on this machine")
    subprocess.run(["cpio", "-idm", "--quiet", "-F", tmp_path / "cpio"], cwd=place, check=True)
    listing = (place / "modules" / "list").read_text().splitlines()
    assert listing == [f"/modules/{name}.ko" for name in ORDER]
    for path in listing:
        assert (place / path[1:]).read_bytes().endswith(b"~Module signature appended~\n")


def test_too_many_modules_are_refused(tmp_path: Path) -> None:
    make_module(tmp_path / "a.ko", {})
    module = read_module(tmp_path / "a.ko")
    with pytest.raises(UsageError, match="400 modules are too many"):
        pack_modules([module] * 400)


def test_needs_are_met_by_any_of_their_symbols() -> None:
    assert not_built_in(SYMBOLS) == []
    without = [symbol for symbol in SYMBOLS if symbol != "vm_cmdline_set"]
    assert not_built_in(without) == []
    assert [need.what for need in not_built_in([symbol for symbol in without if symbol != "virtio_pci_probe"])] == [
        "virtio transport"
    ]


def test_sample_is_what_the_tests_say() -> None:
    assert {Path(name).stem.replace("-", "_") for name in VIRTIO} >= set(ORDER)
