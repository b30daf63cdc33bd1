"""Core files: written with holes, read back, read by pyelftools."""

from __future__ import annotations

from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from ktrace.errors import HostError, UsageError
from ktrace.machine.vmcore import CoreNotes, Vmcore, is_core, write_vmcore

MIB = 1 << 20
DIRECT, TEXT = 0xFFFF888000000000, 0xFFFFFFFF81000000
NOTES = CoreNotes(
    b"OSRELEASE=6.1\nPAGESIZE=4096\n",
    {"rip": TEXT + 0x1234, "rsp": DIRECT + 0x800, "cs": 0x10},
    "lab",
    "a title",
    {"A": 28},
    {"28": "A", "29": "B"},
    {"pipe:pipe1": DIRECT + 0x4000},
)


class Ram:
    """Zeros, but for a few bytes."""

    size = 4 * MIB

    def __init__(self) -> None:
        self.data = bytearray(self.size)
        self.data[2 * MIB + 5 : 2 * MIB + 8] = b"abc"

    def read(self, address: int, size: int) -> bytes:
        """Return bytes."""
        return bytes(self.data[address : address + size])


@pytest.fixture
def core(tmp_path: Path) -> Path:
    write_vmcore(tmp_path / "vmcore", Ram(), {DIRECT: 0, TEXT: 2 * MIB}, NOTES)
    return tmp_path / "vmcore"


def test_what_was_written_is_read(core: Path) -> None:
    found = Vmcore(core)
    assert found.size == 4 * MIB
    assert found.read(2 * MIB + 4, 5) == b"\0abc\0"
    assert found.notes.vmcoreinfo == NOTES.vmcoreinfo
    assert found.notes.registers.items() >= NOTES.registers.items()
    assert (found.notes.image, found.notes.living, found.notes.addresses) == ("lab", {"A": 28}, NOTES.addresses)
    with pytest.raises(ValueError, match="not in the core file"):
        found.read(4 * MIB - 1, 2)


def test_a_note_under_the_names_of_before_is_read(tmp_path: Path) -> None:
    # The note is JSON between other things: a member's name may have another length, if the blanks after it make up.
    write_vmcore(tmp_path / "vmcore", Ram(), {DIRECT: 0}, NOTES)
    data = (tmp_path / "vmcore").read_bytes()
    old = data.replace(b'"names_by_pid":', b'"ever"        :').replace(b'"living":', b'"actors":')
    assert old != data
    assert len(old) == len(data)
    (tmp_path / "vmcore").write_bytes(old)
    notes = Vmcore(tmp_path / "vmcore").notes
    assert (notes.living, notes.names_by_pid) == (NOTES.living, NOTES.names_by_pid)


def test_zeros_take_no_room(core: Path) -> None:
    assert core.stat().st_size > 4 * MIB
    assert core.stat().st_blocks * 512 < MIB
    assert not list(core.parent.glob(".*"))


def test_another_reader_sees_the_same(core: Path) -> None:
    with core.open("rb") as file:
        elf = ELFFile(file)
        assert elf["e_type"] == "ET_CORE"
        segments = list(elf.iter_segments())
        assert [(s["p_vaddr"], s["p_paddr"], s["p_filesz"]) for s in segments if s["p_type"] == "PT_LOAD"] == [
            (DIRECT, 0, 4 * MIB),
            (TEXT, 2 * MIB, 2 * MIB),
        ]
        assert segments[2].data()[5:8] == b"abc"
        first = segments[0]
        assert isinstance(first, NoteSegment)
        notes = {note["n_name"]: note for note in first.iter_notes()}
        assert set(notes) == {"CORE", "VMCOREINFO", "KTRACE"}
        assert notes["VMCOREINFO"]["n_descdata"] == NOTES.vmcoreinfo


def test_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no core")
    assert not is_core(tmp_path / "text")
    assert not is_core(tmp_path / "absent")
    with pytest.raises(UsageError, match="cannot read"):
        Vmcore(tmp_path / "text")
    with pytest.raises(HostError, match="cannot write"):
        write_vmcore(tmp_path / "absent" / "vmcore", Ram(), {DIRECT: 0}, NOTES)
