"""Kernels that a person builds: what lies in a build directory."""

from __future__ import annotations

from pathlib import Path

from ktrace.errors import UsageError
from ktrace.image.elf import require_debuggable
from ktrace.image.foreign import KernelFiles
from ktrace.image.progress import Progress

#: Where ``make`` leaves the compressed kernel.
BZIMAGE = "arch/x86/boot/bzImage"


def source_of(directory: Path) -> Path:
    """Find the sources that a build directory belongs to: itself, or where ``make O=`` points back to.

    :raises UsageError: if it is neither
    """
    for place in (directory, directory / "source"):
        if (place / "Kconfig").is_file() and (place / "arch" / "x86").is_dir():
            return place
    raise UsageError(
        f"{str(directory)!r} is neither a kernel's source tree nor its build directory",
        hint="give the directory in which make left vmlinux and .config",
    )


def build_files(directory: Path, progress: Progress) -> KernelFiles:
    """Find what an import takes in a build directory.

    :param directory: where ``make`` was run, or what was given to it as ``O=``
    :param progress: told of what looks wrong and may not be
    :raises UsageError: if it is none, nothing is built there, or what is built cannot be booted
    """
    source_of(directory)
    vmlinux, config, bzimage = directory / "vmlinux", directory / ".config", directory / BZIMAGE
    if not vmlinux.is_file():
        raise UsageError(
            f"no kernel is built in {str(directory)!r}: it has no vmlinux", hint=f"run: make -C {directory} -j4"
        )
    facts = require_debuggable(vmlinux)
    if not facts.boots and not bzimage.is_file():
        raise UsageError(
            f"{str(vmlinux)!r} has no PVH entry, and there is no {BZIMAGE}",
            hint=f"run: make -C {directory} bzImage; or build with CONFIG_PVH=y",
        )
    if config.is_file() and config.stat().st_mtime > vmlinux.stat().st_mtime:
        progress.note(f"{str(config)!r} is newer than the vmlinux: if it was changed, build again")
    return KernelFiles(
        vmlinux=vmlinux,
        boot=None if facts.boots else bzimage,
        config=config if config.is_file() else None,
        modules=directory,
    )
