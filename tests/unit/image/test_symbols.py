"""What a kernel's Kconfig knows, read from the source that lab-6.1 is built from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ktrace.image.kconfig import read_fragment
from ktrace.image.recipe import load_recipe
from ktrace.image.source import SOURCES
from ktrace.image.symbols import kconfig_symbols
from ktrace.own_files import own_files


@pytest.fixture(scope="module")
def symbols(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Unpack only the Kconfig files."""
    tree = tmp_path_factory.mktemp("linux")
    tarball = SOURCES / f"{load_recipe('lab-6.1').kernel.package}.tar.xz"
    subprocess.run(
        ["tar", "-xf", tarball, "-C", tree, "--strip-components=1", "--wildcards", "*/Kconfig*"],
        check=True,
        timeout=300,
    )
    return kconfig_symbols(tree)


def test_symbols_of_linux_6_1(symbols: frozenset[str]) -> None:
    # menuconfig, choice member, indented, x86's own; SLUB_TINY came with 6.2
    assert {"SYSVIPC", "NET", "MODULES", "SLUB", "BASE_FULL", "PROC_SYSCTL", "64BIT", "HZ_250", "PVH"} <= symbols
    assert "SLUB_TINY" not in symbols
    # arch/arm64's, and one of scripts/kconfig/tests
    assert "ARM64_PTR_AUTH" not in symbols
    assert "MEMORY_HOTREMOVE" in symbols


def test_every_option_of_lab_6_1_is_known(symbols: frozenset[str]) -> None:
    for fragment in load_recipe("lab-6.1").kernel.read_fragments():
        assert fragment.for_kernel(symbols).options == fragment.options


def test_an_option_of_newer_kernels_is_not_known(symbols: frozenset[str]) -> None:
    fragment = read_fragment(own_files() / "guest" / "newer.config")
    assert {name.removeprefix("CONFIG_") for name in fragment.options} - symbols == {"SLUB_TINY"}


def test_kconfig_files_that_are_no_part_of_the_kernel_are_left_out(tmp_path: Path) -> None:
    for name in (
        "Kconfig",
        "arch/Kconfig",
        "arch/x86/Kconfig.debug",
        "arch/arm/Kconfig",
        "scripts/kconfig/tests/x/Kconfig",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(
            f"config {name.upper().translate(str.maketrans('/.', '__'))}\n\thelp\n\t  config x\n"
        )
    (tmp_path / "notes").write_text("config NOTES\n")
    assert kconfig_symbols(tmp_path) - {"x"} == {"KCONFIG", "ARCH_KCONFIG", "ARCH_X86_KCONFIG_DEBUG"}
