"""Kernel modules: which ones a guest needs before its agent can be heard, and in which order."""

from __future__ import annotations

import fnmatch
import gzip
import io
import lzma
import re
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from ktrace.errors import UsageError
from ktrace.image.cpio import directory, regular_file, write_cpio
from ktrace.image.toolchain import clean_environment, require_tool

#: Where init finds them (guest/init_modules.c), and how long its list may be.
PLACE, LIST_LIMIT = "modules", 4095
_SUFFIX = re.compile(r"\.ko(\.gz|\.xz|\.zst)?$")
_ALIAS = re.compile(rb"\0alias=([^\0]{1,400})(?=\0)")


@dataclass(frozen=True)
class Module:
    """What a module says of itself in its ``.modinfo``.

    :param name: its name, with ``_`` for ``-``
    :param path: its file
    :param depends: modules that it cannot do without
    :param before: modules to load first if they are there (``softdep=pre:``)
    :param aliases: patterns of what it serves
    :param release: release of the kernel that it was built for
    """

    name: str
    path: Path
    depends: tuple[str, ...]
    before: tuple[str, ...]
    aliases: tuple[str, ...]
    release: str


def canonical(name: str) -> str:
    """Return a module's name as the kernel has it: files are called ``virtio-rng`` where modules are ``virtio_rng``."""
    return name.replace("-", "_")


def unpack_module(path: Path) -> bytes:
    """Read a module's file, unpacked where it is compressed.

    :raises UsageError: if it cannot be read
    """
    try:
        data = path.read_bytes()
        if path.suffix == ".xz":
            return lzma.decompress(data)
        if path.suffix == ".gz":
            return gzip.decompress(data)
        if path.suffix == ".zst":
            argv = [require_tool("zstd"), "--decompress", "--stdout", "--quiet"]
            return subprocess.run(argv, input=data, env=clean_environment(), capture_output=True, check=True).stdout
    except (lzma.LZMAError, zlib.error, EOFError, subprocess.CalledProcessError) as error:
        raise UsageError(f"module {str(path)!r} is damaged: {error}") from error
    except OSError as error:
        raise UsageError(f"cannot read module {str(path)!r}: {error.strerror or error}") from error
    return data


def read_module(path: Path) -> Module:
    """Read what a module says of itself.

    :raises UsageError: if it is no module
    """
    try:
        section = ELFFile(io.BytesIO(unpack_module(path))).get_section_by_name(".modinfo")
    except (ELFError, ValueError, KeyError) as error:
        raise UsageError(f"{str(path)!r} is no kernel module: {error}") from error
    if section is None:
        raise UsageError(f"{str(path)!r} is no kernel module: it has no .modinfo")
    words: dict[str, list[str]] = {}
    for word in section.data().decode("latin-1").split("\0"):
        key, _, value = word.partition("=")
        words.setdefault(key, []).append(value)
    before = [name for value in words.get("softdep", ()) for name in _softdep(value)]
    return Module(
        name=module_name(path),
        path=path,
        depends=tuple(canonical(name) for value in words.get("depends", ()) for name in value.split(",") if name),
        before=tuple(canonical(name) for name in before),
        aliases=tuple(words.get("alias", ())),
        release=words.get("vermagic", [""])[0].partition(" ")[0],
    )


def _softdep(value: str) -> Iterator[str]:
    """Yield the modules that ``pre: a b post: c`` wants first."""
    wanted = False
    for word in value.split():
        if word.endswith(":"):
            wanted = word == "pre:"
        elif wanted:
            yield word


def module_name(path: Path) -> str:
    """Tell a module's name from its file's."""
    return canonical(_SUFFIX.sub("", path.name))


class ModuleTree:
    """The modules below a directory, as ``make modules_install``, a package or a build leaves them.

    :param top: the directory, e.g. ``/lib/modules/RELEASE``
    """

    def __init__(self, top: Path) -> None:
        self.top = top

    @cached_property
    def files(self) -> dict[str, Path]:
        """File of each module, by its name."""
        return {module_name(path): path for path in sorted(self.top.rglob("*.ko*")) if _SUFFIX.search(path.name)}

    @cached_property
    def aliases(self) -> list[tuple[str, str]]:
        """Pattern and module's name of every alias.

        ``depmod`` keeps them in ``modules.alias``. A package comes without that: there every module is asked.
        """
        try:
            text = (self.top / "modules.alias").read_text(errors="replace")
        except OSError:
            return [
                (alias.decode("latin-1"), name)
                for name, path in self.files.items()
                for alias in _ALIAS.findall(unpack_module(path))
            ]
        lines = (line.split() for line in text.splitlines())
        return [(words[1], canonical(words[2])) for words in lines if len(words) == 3 and words[0] == "alias"]

    def serving(self, modalias: str) -> list[str]:
        """Name the modules that serve a device or a family, as ``modprobe`` would find them."""
        found = [name for pattern, name in self.aliases if fnmatch.fnmatchcase(modalias, pattern)]
        return [name for name in dict.fromkeys(found) if name in self.files]

    def in_order(self, names: Iterable[str]) -> list[Module]:
        """List modules and those that they depend on, each after what it needs.

        :raises UsageError: if one is missing, or they need each other in a circle
        """
        done: dict[str, Module] = {}
        for name in names:
            self._visit(name, done, ())
        return list(done.values())

    def _visit(self, name: str, done: dict[str, Module], needed_by: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in needed_by:
            raise UsageError(
                f"modules in {str(self.top)!r} need each other in a circle: {' -> '.join((*needed_by, name))}"
            )
        if name not in self.files:
            raise UsageError(
                f"module {needed_by[-1]!r} needs {name!r}, which is not in {str(self.top)!r}"
                if needed_by
                else f"no module {name!r} in {str(self.top)!r}",
                hint="give all modules of that build",
            )
        module = read_module(self.files[name])
        for other in (*(other for other in module.before if other in self.files), *module.depends):
            self._visit(other, done, (*needed_by, name))
        done[name] = module


def pack_modules(modules: Iterable[Module]) -> bytes:
    """Write the part of an initramfs that has modules in it, and the list by which init loads them.

    The kernel unpacks one archive after the other (``init/initramfs.c: unpack_to_rootfs()``): this one is put behind
    that with init itself.

    :param modules: in their order
    """
    files = [(f"{PLACE}/{module.name}.ko", module) for module in modules]
    listing = "".join(f"/{path}\n" for path, _ in files)
    if len(listing) > LIST_LIMIT:
        raise UsageError(f"{len(files)} modules are too many for init", hint="build some of them in")
    entries = [directory(PLACE), regular_file(f"{PLACE}/list", listing.encode())]
    return write_cpio([*entries, *(regular_file(path, unpack_module(module.path)) for path, module in files)])
