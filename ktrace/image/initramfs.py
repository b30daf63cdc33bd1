"""Build the initramfs: static C programs in a cpio archive of our own writing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ktrace.errors import HostError, UsageError
from ktrace.image.cpio import CpioEntry, character_device, directory, regular_file, write_cpio
from ktrace.image.progress import Progress
from ktrace.image.recipe import BinaryRecipe, InitramfsRecipe
from ktrace.image.store import digest_file, digest_json, write_json
from ktrace.image.toolchain import run_tool, tool_versions

#: Raised whenever this module starts to build differently: it is part of every initramfs's key.
PROCEDURE = 1
SOURCE_NAME = "/usr/src/ktrace/guest"


def _libc_digest() -> str:
    """Hash the C library that the programs are linked with: its code becomes theirs."""
    for path in (Path("/usr/lib/x86_64-linux-gnu/libc.a"), Path("/usr/lib64/libc.a"), Path("/usr/lib/libc.a")):
        if path.is_file():
            return digest_file(path)
    raise HostError("no static C library on this machine", hint="install it as root with: apt-get install libc6-dev")


def source_digests(recipe: InitramfsRecipe) -> dict[str, str]:
    """Hash every C file, by name."""
    files = [path for binary in recipe.binaries for path in (*binary.sources, *binary.headers)]
    return {path.name: digest_file(path) for path in files}


def initramfs_inputs(recipe: InitramfsRecipe, modules: Path | None = None) -> dict[str, Any]:
    """Collect everything an initramfs's bits depend on; its digest is its key.

    :param modules: archive of kernel modules to put behind it, see :func:`ktrace.image.modules.pack_modules`
    """
    return {
        **({} if modules is None else {"modules_sha256": digest_file(modules)}),
        "procedure": PROCEDURE,
        "cflags": list(recipe.cflags),
        "directories": list(recipe.directories),
        "binaries": [
            {"path": binary.path, "sources": [path.name for path in binary.sources]} for binary in recipe.binaries
        ],
        "sources": source_digests(recipe),
        "libc_sha256": None if "-nostdlib" in recipe.cflags else _libc_digest(),
        "tools": tool_versions(),
    }


def compile_binary(recipe: InitramfsRecipe, binary: BinaryRecipe, scratch: Path, log: Path) -> bytes:
    """Compile one static program.

    :returns: the stripped ELF file
    :raises UsageError: with the compiler's words, if the C does not compile
    """
    target = scratch / binary.name
    # File names without directories: nothing of where they lie gets into the program.
    places = sorted({path.parent for path in (*binary.sources, *binary.headers)})
    argv = ["gcc", "-static", *recipe.cflags, "-s", "-Wl,--build-id=none"]
    argv += [f"-ffile-prefix-map={place}={SOURCE_NAME}" for place in places]
    argv += [f"-ffile-prefix-map={scratch}={SOURCE_NAME}"]
    argv += ["-o", str(target), *(str(path) for path in binary.sources)]
    run_tool(argv, scratch, log, failure=UsageError)
    return target.read_bytes()


def build_initramfs(
    recipe: InitramfsRecipe, scratch: Path, output: Path, progress: Progress, modules: Path | None = None
) -> None:
    """Build the initramfs and its manifest.

    The archive is not compressed: the kernel copies it faster than it inflates it.

    :param scratch: empty directory to build in
    :param output: empty directory for the results
    :param modules: archive of kernel modules to put behind it
    """
    inputs = initramfs_inputs(recipe, modules)
    entries: list[CpioEntry] = [directory(path) for path in recipe.directories]
    # init/main.c: console_on_rootfs() opens it for init's first three descriptors
    entries.append(character_device("dev/console", 5, 1))
    progress.stage("compiling agent and init", total=len(recipe.binaries))
    for done, binary in enumerate(recipe.binaries, start=1):
        data = compile_binary(recipe, binary, scratch, scratch / "log")
        entries.append(regular_file(binary.path, data, 0o755))
        progress.advance(done, binary.name)
    (output / "initramfs").write_bytes(write_cpio(entries) + (modules.read_bytes() if modules else b""))
    write_json(
        output / "manifest.json",
        {
            "inputs": inputs,
            "key": digest_json(inputs),
            "outputs": {"initramfs": digest_file(output / "initramfs")},
        },
    )
