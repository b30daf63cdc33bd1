"""Facts of ELF files agree with readelf, and what is unusable is refused with a remedy."""

import re
import subprocess

import pytest

from ktrace.errors import UsageError
from ktrace.image.elf import read_elf_facts, require_debuggable


def test_build_id_is_what_readelf_says(kernel):
    notes = subprocess.run(["readelf", "-n", kernel], capture_output=True, text=True, check=True).stdout
    build_id = re.search(r"Build ID: ([0-9a-f]{40})", notes)
    assert build_id
    facts = require_debuggable(kernel)
    assert facts.build_id == build_id[1]
    assert (facts.has_dwarf, facts.has_symbols, facts.has_pvh, facts.has_code) == (True, True, True, True)


def test_build_id_survives_stripping(kernel, tmp_path):
    stripped = tmp_path / "kernel"
    subprocess.run(["objcopy", "--strip-all", kernel, stripped], check=True)
    facts = read_elf_facts(stripped)
    assert facts.build_id == read_elf_facts(kernel).build_id
    assert (facts.has_dwarf, facts.has_symbols, facts.has_pvh, facts.has_code) == (False, False, True, True)
    with pytest.raises(UsageError, match="it is stripped") as caught:
        require_debuggable(stripped)
    assert "CONFIG_DEBUG_INFO_DWARF5" in (caught.value.hint or "")


def test_no_dwarf(link):
    with pytest.raises(UsageError, match="no DWARF debug information"):
        require_debuggable(link("vmlinux", "-g0", "-Wl,--build-id=sha1"))


def test_no_build_id(link):
    path = link("vmlinux", "-g", "-Wl,--build-id=none")
    assert read_elf_facts(path).build_id is None
    with pytest.raises(UsageError, match="no build-id"):
        require_debuggable(path)


def test_no_pvh_entry(link):
    assert not read_elf_facts(link("vmlinux", "-g", "-Wl,--build-id=sha1", pvh=False)).has_pvh


def test_debug_file_has_no_code(kernel, tmp_path):
    debug = tmp_path / "vmlinux.debug"
    subprocess.run(["objcopy", "--only-keep-debug", kernel, debug], check=True)
    facts = require_debuggable(debug)
    assert not facts.has_code


def test_32_bit(tmp_path):
    (tmp_path / "a.s").write_text(".globl _start\n_start: ret\n")
    subprocess.run(["as", "--32", "-o", "a.o", "a.s"], cwd=tmp_path, check=True)
    with pytest.raises(UsageError, match="ELF32 file for EM_386, not ELF64 for x86-64"):
        read_elf_facts(tmp_path / "a.o")


def test_wrong_machine(kernel, tmp_path):
    data = bytearray(kernel.read_bytes())
    data[18:20] = (183).to_bytes(2, "little")  # EM_AARCH64
    (tmp_path / "arm").write_bytes(data)
    with pytest.raises(UsageError, match="ELF64 file for EM_AARCH64"):
        read_elf_facts(tmp_path / "arm")


@pytest.mark.parametrize("keep", [0, 3, 16, 64, 200])
def test_cut_off_or_empty(kernel, tmp_path, keep):
    (tmp_path / "cut").write_bytes(kernel.read_bytes()[:keep])
    with pytest.raises(UsageError):
        require_debuggable(tmp_path / "cut")


def test_not_elf(tmp_path):
    (tmp_path / "text").write_text("CONFIG_A=y\n" * 100)
    with pytest.raises(UsageError, match="is not an ELF file"):
        read_elf_facts(tmp_path / "text")


def test_not_there(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_elf_facts(tmp_path / "none")
    with pytest.raises(UsageError, match="Is a directory"):
        read_elf_facts(tmp_path)
