"""Import a kernel that someone else built."""

from __future__ import annotations

import bz2
import lzma
import shutil
import zlib
from pathlib import Path
from typing import Any

from ktrace.errors import UsageError
from ktrace.image.build import DEFAULT_RECIPE, ensure_initramfs, read_manifest
from ktrace.image.elf import ElfFacts, read_elf_facts, require_debuggable
from ktrace.image.image import Image, compose_image, open_image
from ktrace.image.kernel import strip_kernel
from ktrace.image.progress import Progress, Silent
from ktrace.image.recipe import NAME, load_recipe, recipe_names
from ktrace.image.store import Store, digest_file, digest_json, host_errors, open_store, write_json

_ELF = b"\x7fELF"
# Documentation/x86/boot.rst, "The Real-Mode Kernel Header"
_HEADER_MAGIC, _HEADER_AT = b"HdrS", 0x202
_SETUP_SECTS, _PAYLOAD_OFFSET, _PAYLOAD_LENGTH = 0x1F1, 0x248, 0x24C


def bzimage_payload(image: bytes) -> bytes | None:
    """Unpack the vmlinux inside a bzImage.

    :returns: the ELF file, ``None`` if its compression is not one that Python reads
    """
    start = (max(image[_SETUP_SECTS], 1) if image[_SETUP_SECTS] else 4) + 1
    offset = int.from_bytes(image[_PAYLOAD_OFFSET : _PAYLOAD_OFFSET + 4], "little")
    length = int.from_bytes(image[_PAYLOAD_LENGTH : _PAYLOAD_LENGTH + 4], "little")
    payload = image[start * 512 + offset :][:length]
    try:
        if payload.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(payload)
        if payload.startswith(b"\xfd7zXZ"):
            return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(payload)
        if payload.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(payload)
        if payload.startswith(b"\x5d\x00\x00"):
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(payload)
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return None
    return payload if payload.startswith(_ELF) else None


#: What a kernel must have built in: any one of the symbols, what it is, the option that brings it.
_NEEDS = (
    (("virtcons_probe",), "virtio console", "CONFIG_VIRTIO_CONSOLE=y"),
    (("vm_cmdline_set", "virtio_pci_probe"), "virtio transport", "CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES=y"),
    (("populate_rootfs",), "initramfs", "CONFIG_BLK_DEV_INITRD=y"),
    (("vmcoreinfo_data",), "vmcoreinfo", "CONFIG_PROC_KCORE=y"),
)


def _require_usable(facts: ElfFacts, vmlinux: Path) -> None:
    """Refuse a kernel in which the agent could not be heard, or whose memory could not be read."""
    missing = [(what, option) for symbols, what, option in _NEEDS if facts.symbols.isdisjoint(symbols)]
    if missing:
        raise UsageError(
            f"{str(vmlinux)!r} has no {', no '.join(what for what, _ in missing)} built in",
            hint=f"build it with {' '.join(option for _, option in missing)}; "
            "ktrace image show --config prints a configuration that works",
        )


def _require_same_build(facts: ElfFacts, boot: ElfFacts, path: Path, vmlinux: Path) -> None:
    if boot.build_id != facts.build_id:
        raise UsageError(
            f"build-id {boot.build_id} of {str(path)!r} is not {facts.build_id} of {str(vmlinux)!r}",
            hint="give the boot file and the vmlinux of one and the same build",
        )


def check_boot_file(path: Path, vmlinux: Path, facts: ElfFacts, scratch: Path) -> str:
    """Check that a file can be booted and belongs to a vmlinux.

    :param path: ELF file with a PVH entry, or bzImage
    :param facts: those of the vmlinux
    :param scratch: directory to unpack a bzImage in
    :returns: ``"elf-pvh"``; ``"bzImage"``; or ``"bzImage-unread"`` where the build-id can only be
        compared in the running guest
    :raises UsageError: if it is neither, or belongs to another build
    """
    with path.open("rb") as stream:
        head = stream.read(0x260)
        if head[_HEADER_AT : _HEADER_AT + 4] == _HEADER_MAGIC:
            payload = bzimage_payload(head + stream.read())
            if payload is None:
                return "bzImage-unread"
            unpacked = scratch / "bzimage-payload"
            unpacked.write_bytes(payload)
            _require_same_build(facts, read_elf_facts(unpacked), path, vmlinux)
            return "bzImage"
    if not head.startswith(_ELF):
        raise UsageError(
            f"{str(path)!r} is neither an ELF file nor a bzImage",
            hint="give a vmlinux with a PVH entry (CONFIG_PVH=y) or arch/x86/boot/bzImage",
        )
    boot = read_elf_facts(path)
    if not boot.has_pvh or not boot.has_code:
        raise UsageError(
            f"{str(path)!r} has no {'PVH entry' if boot.has_code else 'code in it'}",
            hint="build with CONFIG_PVH=y, or give arch/x86/boot/bzImage with --boot",
        )
    _require_same_build(facts, boot, path, vmlinux)
    return "elf-pvh"


def _require_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from error


def _read_config(path: Path) -> str:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {str(path)!r} as a configuration: {error}") from error
    if "CONFIG_" not in text:
        raise UsageError(f"{str(path)!r} is no kernel configuration: there is no CONFIG_ in it")
    return text


def import_kernel(store: Store, vmlinux: Path, boot: Path | None, config: Path | None, progress: Progress) -> Path:
    """Put a foreign kernel into the store.

    :param vmlinux: ELF64 x86-64 file with DWARF and a build-id
    :param boot: what to boot; default the vmlinux itself, stripped
    :param config: the kernel's configuration, if it is known
    :returns: its directory in the store
    :raises UsageError: for files that cannot be used, saying why and what to do
    """
    facts = require_debuggable(vmlinux)
    _require_usable(facts, vmlinux)
    if boot is None and not (facts.has_pvh and facts.has_code):
        what = "PVH entry" if facts.has_code else "code in it, only debug information"
        raise UsageError(
            f"{str(vmlinux)!r} has no {what}: QEMU cannot boot it",
            hint="build with CONFIG_PVH=y, or give the bzImage of the same build with --boot",
        )
    if config is not None:
        _read_config(config)
    if boot is not None:
        _require_readable(boot)
    progress.stage("hashing what is imported")
    given = {"vmlinux": vmlinux, "boot": boot, "config": config}
    with host_errors("read", vmlinux):
        inputs = {
            "origin": "import",
            **{f"{role}_sha256": digest_file(path) if path else None for role, path in given.items()},
        }

    def copy(scratch: Path, output: Path) -> None:
        progress.stage("copying into the store")
        shutil.copyfile(vmlinux, output / "vmlinux")
        if boot is None:
            strip_kernel(output / "vmlinux", output / "kernel", scratch / "log")
            boot_format = "elf-pvh"
        else:
            boot_format = check_boot_file(boot, vmlinux, facts, scratch)
            shutil.copyfile(boot, output / "kernel")
        if config is not None:
            shutil.copyfile(config, output / "config")
        outputs = {path.name: digest_file(path) for path in sorted(output.iterdir())}
        manifest = {
            "inputs": inputs,
            "key": digest_json(inputs),
            "build_id": facts.build_id,
            "boot_format": boot_format,
            "outputs": outputs,
        }
        write_json(output / "manifest.json", manifest)

    return store.build("kernels", digest_json(inputs), copy)


def _compose(name: str, kernel: Path, store: Store, progress: Progress) -> Image:
    recipe = load_recipe(DEFAULT_RECIPE)
    initramfs = ensure_initramfs(recipe.initramfs, store, progress)
    kernel_manifest, initramfs_manifest = read_manifest(kernel), read_manifest(initramfs)
    manifest: dict[str, Any] = {
        "origin": "import",
        "recipe": recipe.name,
        "build_id": kernel_manifest["build_id"],
        "boot_format": kernel_manifest["boot_format"],
        "kernel": kernel_manifest,
        "initramfs": initramfs_manifest,
        "outputs": {**kernel_manifest["outputs"], **initramfs_manifest["outputs"]},
    }
    key = digest_json({"name": name, "kernel": kernel.name, "initramfs": initramfs.name})
    directory = compose_image(store, kernel, initramfs, manifest, key)
    store.write_ref(name, {"image": key, "kernel": kernel.name, "origin": "import"})
    return open_image(name, directory)


def import_image(
    name: str,
    vmlinux: Path,
    *,
    boot: Path | None = None,
    config: Path | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
) -> Image:
    """Make an image of a kernel that someone else built; it gets our initramfs.

    :param name: name to give it, not that of a recipe; an earlier import of that name is replaced
    :param vmlinux: ELF64 x86-64 file with DWARF and a build-id
    :param boot: what to boot; default the vmlinux itself, stripped
    :param config: the kernel's configuration, if it is known
    :raises UsageError: for a bad name, or files that cannot be used
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"bad image name {name!r}", hint="use lower case letters, digits, '.', '_' and '-'")
    if name in recipe_names():
        raise UsageError(f"{name!r} is the name of a recipe", hint="give the import a name of its own")
    store = store or open_store()
    progress = progress or Silent()
    with store.in_use():
        return _compose(name, import_kernel(store, vmlinux, boot, config, progress), store, progress)


def refresh_import(name: str, *, store: Store | None = None, progress: Progress | None = None) -> Image:
    """Give an imported image the initramfs of today's agent.

    :raises UsageError: if there is no import of that name, or its kernel has gone
    """
    store = store or open_store()
    ref = store.read_ref(name) or {}
    kernel = store.entry("kernels", str(ref.get("kernel")))
    if ref.get("origin") != "import" or not kernel.is_dir():
        raise UsageError(f"no imported image {name!r}", hint="import it with: ktrace image import")
    with store.in_use():
        return _compose(name, kernel, store, progress or Silent())
