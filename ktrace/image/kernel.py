"""Build a kernel from a recipe: the same bits wherever it is built."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ktrace.errors import HostError, UsageError
from ktrace.image.elf import require_debuggable
from ktrace.image.kconfig import apply_options, merge_fragments, require_options
from ktrace.image.progress import Progress
from ktrace.image.recipe import KernelRecipe
from ktrace.image.source import SourcePackage, extract_source
from ktrace.image.store import digest_file, digest_json, free_bytes, write_json
from ktrace.image.symbols import kconfig_symbols
from ktrace.image.toolchain import run_tool, tool_versions
from ktrace.image.workspace import Workspace, open_workspace

#: Raised whenever this module starts to build differently: it is part of every kernel's key.
PROCEDURE = 1
#: What the sources are called in debug information, wherever they were built.
SOURCE_NAME = "/usr/src/linux"
#: Bytes that a build needs on the disk: tree, objects and results; or results alone, when built in memory.
BUILD_ROOM = 2_500_000_000
RESULT_ROOM = 500_000_000

# Each of these would otherwise differ from machine to machine, or from day to day.
FIXED_VARIABLES = {
    "ARCH": "x86_64",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
    "KBUILD_BUILD_USER": "ktrace",
    "KBUILD_BUILD_HOST": "lab",
    "KBUILD_BUILD_VERSION": "1",
    "LOCALVERSION": "",
    "PAHOLE": "false",
    "RUSTC": "false",
    "BINDGEN": "false",
}
_UNIT = re.compile(r"  (?:CC|AS|LD|AR|HOSTCC|OBJCOPY|GEN|VDSO)\s+(?:\[\w\]\s+)?(\S+)")


def kernel_inputs(recipe: KernelRecipe, source: SourcePackage) -> dict[str, Any]:
    """Collect everything a kernel's bits depend on; its digest is the kernel's key.

    Which options are asked for only where they are known is not among it: with the same source, one that is not known
    leaves the same kernel, or none at all.
    """
    merged = merge_fragments(recipe.read_fragments())
    return {
        "procedure": PROCEDURE,
        "package": source.name,
        "package_version": source.version,
        "tarball_sha256": source.digest,
        "base": recipe.base,
        "options": {option: value for option, (value, _) in merged.items()},
        "make_variables": dict(recipe.make_variables),
        "fixed_variables": FIXED_VARIABLES,
        "tools": tool_versions(),
    }


def make_arguments(recipe: KernelRecipe, tree: Path) -> list[str]:
    """List the variables that every make of this kernel is given.

    :param tree: directory of the unpacked sources, mapped to :data:`SOURCE_NAME` in debug information
    """
    own = dict(recipe.make_variables)
    mapping = f"-ffile-prefix-map={tree}={SOURCE_NAME}"
    variables = {**FIXED_VARIABLES, **own}
    for flags in ("KCFLAGS", "KAFLAGS"):
        variables[flags] = " ".join(filter(None, (own.get(flags), mapping)))
    return [f"{key}={value}" for key, value in variables.items()]


def make_command(recipe: KernelRecipe, tree: Path) -> str:
    """Write the shell command that builds ``vmlinux`` in a prepared tree, as a person would type it."""
    arguments = [shlex.quote(argument) for argument in make_arguments(recipe, tree)]
    return " ".join(["make", "-C", shlex.quote(str(tree)), f"-j{_jobs()}", *arguments, "vmlinux"])


def _jobs() -> int:
    # One more than there are processors: make's own work leaves gaps.
    return len(os.sched_getaffinity(0)) + 1


def prepare_tree(recipe: KernelRecipe, source: SourcePackage, place: Workspace, log: Path, progress: Progress) -> None:
    """Unpack the sources and configure them as the recipe says.

    :param place: an empty workspace
    :param log: gets the output of every tool
    :raises UsageError: naming every option that kconfig did not obey
    """
    progress.stage(f"unpacking {source.name} {source.version}")
    extract_source(source, place, recipe.excludes, log)
    progress.stage("configuring")
    arguments = make_arguments(recipe, place.path)
    run_tool(["make", *arguments, recipe.base], place.outside, log, prefix=place.prefix)
    config = place.outside / ".config"
    symbols = kconfig_symbols(place.outside)
    merged = merge_fragments(fragment.for_kernel(symbols) for fragment in recipe.read_fragments())
    config.write_text(apply_options(config.read_text(), merged))
    run_tool(["make", *arguments, "olddefconfig"], place.outside, log, prefix=place.prefix)
    require_options(merged, config.read_text())


def _counter(progress: Progress) -> Callable[[str], None]:
    done = 0

    def on_line(line: str) -> None:
        nonlocal done
        if match := _UNIT.match(line):
            done += 1
            progress.advance(done, match[1])

    return on_line


def require_room(directory: Path, needed: int) -> None:
    """Refuse to begin what would end on a full disk.

    :param needed: bytes
    :raises HostError: naming the directory
    """
    room = free_bytes(directory)
    if room < needed:
        raise HostError(
            f"only {room / 1e9:.1f} GB free in {str(directory)!r}, {needed / 1e9:.1f} GB needed",
            hint="free some space there, or set XDG_CACHE_HOME to a larger file system",
        )


def strip_kernel(vmlinux: Path, kernel: Path, log: Path) -> None:
    """Strip a vmlinux to what QEMU loads through its PVH entry."""
    run_tool(["objcopy", "--strip-all", str(vmlinux), str(kernel)], kernel.parent, log)


def build_kernel(recipe: KernelRecipe, source: SourcePackage, scratch: Path, output: Path, progress: Progress) -> None:
    """Build kernel, vmlinux, config and manifest.

    :param scratch: empty directory to build in
    :param output: empty directory for the results
    :raises HostError: for missing tools, a full disk or a build that fails
    :raises UsageError: for options that kconfig did not obey
    """
    log, tree = scratch / "log", scratch / "linux"
    tree.mkdir()
    with open_workspace(tree) as place:
        require_room(scratch, RESULT_ROOM if place.in_memory else BUILD_ROOM)
        prepare_tree(recipe, source, place, log, progress)
        progress.stage("compiling the kernel", total=recipe.objects)
        command = ["make", f"-j{_jobs()}", *make_arguments(recipe, tree), "vmlinux"]
        run_tool(command, place.outside, log, prefix=place.prefix, on_line=_counter(progress))
        shutil.copyfile(place.outside / "vmlinux", output / "vmlinux")
        shutil.copyfile(place.outside / ".config", output / "config")
    progress.stage("stripping")
    strip_kernel(output / "vmlinux", output / "kernel", log)
    facts = require_debuggable(output / "vmlinux")
    if not facts.has_pvh:
        raise UsageError("the kernel has no PVH entry", hint="CONFIG_PVH=y must be in one of the recipe's fragments")
    inputs = kernel_inputs(recipe, source)
    manifest = {
        "inputs": inputs,
        "fragments": {path.name: digest_file(path) for path in recipe.fragments},
        "key": digest_json(inputs),
        "build_id": facts.build_id,
        "boot_format": "elf-pvh",
        "outputs": {name: digest_file(output / name) for name in ("kernel", "vmlinux", "config")},
    }
    write_json(output / "manifest.json", manifest)
