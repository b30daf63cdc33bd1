"""What an image needs to know of an ELF file: machine, build-id, DWARF, PVH entry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from ktrace.errors import UsageError
from ktrace.image.needs import SYMBOLS

# include/xen/interface/elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY
PHYS32_ENTRY = 18
GNU_BUILD_ID = 3


@dataclass(frozen=True)
class ElfFacts:
    """Facts of one kernel file.

    :param build_id: hex digits of the GNU build-id note, or ``None``
    :param has_dwarf: whether ``.debug_info`` is there and not empty
    :param has_btf: whether it has BTF, which tells less than DWARF
    :param has_symbols: whether ``.symtab`` is there
    :param symbols: those of :data:`ktrace.image.needs.SYMBOLS` that ``.symtab`` names
    :param has_code: whether ``.text`` is in the file, not only in its debug information
    :param has_pvh: whether a Xen PHYS32_ENTRY note says where to enter it through PVH
    """

    build_id: str | None
    has_dwarf: bool
    has_btf: bool
    has_symbols: bool
    symbols: frozenset[str]
    has_code: bool
    has_pvh: bool

    @property
    def boots(self) -> bool:
        """Tell whether QEMU can boot the file itself."""
        return self.has_pvh and self.has_code


def read_notes(elf: ELFFile) -> list[tuple[str, int, bytes]]:
    """List the notes of an ELF file: name, type and what they say."""
    found: list[tuple[str, int, bytes]] = []
    for segment in elf.iter_segments("PT_NOTE"):
        data, offset = segment.data(), 0
        while offset + 12 <= len(data):
            namesz, descsz, kind = (
                int.from_bytes(data[offset + 4 * i : offset + 4 * i + 4], "little") for i in range(3)
            )
            name_at = offset + 12
            desc_at = name_at + (namesz + 3) // 4 * 4
            if desc_at + descsz > len(data):
                break
            name = data[name_at : name_at + namesz].rstrip(b"\0").decode("latin-1")
            found.append((name, kind, data[desc_at : desc_at + descsz]))
            offset = desc_at + (descsz + 3) // 4 * 4
    return found


def read_elf_facts(path: Path) -> ElfFacts:
    """Read what matters of a kernel file.

    :param path: an ELF64 x86-64 file
    :raises UsageError: for a file that cannot be read, is no ELF file, or is for another machine
    """
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            machine = elf["e_machine"]
            if elf.elfclass != 64 or machine != "EM_X86_64":
                raise UsageError(
                    f"{str(path)!r} is an ELF{elf.elfclass} file for {machine}, not ELF64 for x86-64",
                    hint="build the kernel with ARCH=x86_64 and CONFIG_64BIT=y",
                )
            notes = read_notes(elf)
            build_ids = [desc.hex() for name, kind, desc in notes if (name, kind) == ("GNU", GNU_BUILD_ID)]
            symbols = elf.get_section_by_name(".symtab")
            names = elf.get_section(symbols["sh_link"]).data() if symbols is not None else b""
            text = elf.get_section_by_name(".text")
            debug_info = elf.get_section_by_name(".debug_info")
            return ElfFacts(
                build_id=build_ids[0] if build_ids else None,
                has_dwarf=debug_info is not None and debug_info["sh_size"] > 0,
                has_btf=elf.get_section_by_name(".BTF") is not None,
                has_symbols=symbols is not None,
                # The end of a name is enough: ld keeps one string for names that end alike.
                symbols=frozenset(name for name in SYMBOLS if name.encode() + b"\0" in names),
                has_code=text is not None and text["sh_type"] == "SHT_PROGBITS",
                has_pvh=any((name, kind) == ("Xen", PHYS32_ENTRY) for name, kind, _ in notes),
            )
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except (ELFError, UnicodeDecodeError, ValueError, KeyError) as error:
        raise UsageError(
            f"{str(path)!r} is not an ELF file: {error}",
            hint="give the uncompressed vmlinux from the top of the kernel's build directory, not a bzImage",
        ) from error


def require_debuggable(path: Path) -> ElfFacts:
    """Read a vmlinux and insist on what live inspection needs.

    :param path: an ELF64 x86-64 ``vmlinux``
    :raises UsageError: if it is stripped, has no DWARF or has no build-id
    """
    facts = read_elf_facts(path)
    if not facts.has_dwarf or not facts.has_symbols:
        missing = "DWARF debug information" if facts.has_symbols else "symbols and DWARF (it is stripped)"
        if facts.has_btf and not facts.has_dwarf:
            missing += ", only BTF"
        raise UsageError(
            f"{str(path)!r} has no {missing}",
            hint="build with CONFIG_DEBUG_INFO_DWARF5=y and give the vmlinux that make leaves, unstripped; "
            "of a distribution's kernel give its package with debug symbols, too",
        )
    if facts.build_id is None:
        raise UsageError(
            f"{str(path)!r} has no build-id",
            hint="link with --build-id=sha1, as the kernel's own Makefile does",
        )
    return facts
