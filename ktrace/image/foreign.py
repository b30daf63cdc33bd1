"""Import a kernel that someone else built."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ktrace.errors import UsageError
from ktrace.image.build import DEFAULT_RECIPE, ensure_initramfs, read_manifest
from ktrace.image.bzimage import HEAD, banner_version, bzimage_payload, bzimage_version, is_bzimage
from ktrace.image.elf import ElfFacts, read_elf_facts, require_debuggable
from ktrace.image.image import Image, compose_image, open_image
from ktrace.image.kconfig import read_config
from ktrace.image.kernel import strip_kernel
from ktrace.image.modules import Module, ModuleTree, pack_modules
from ktrace.image.needs import Need, not_built_in
from ktrace.image.progress import Progress, Silent
from ktrace.image.recipe import NAME, load_recipe, recipe_names
from ktrace.image.store import Store, digest_bytes, digest_file, digest_json, host_errors, open_store, write_json

_ELF = b"\x7fELF"
#: The archive of modules in a kernel's directory in the store.
MODULES = "modules.cpio"


@dataclass(frozen=True)
class KernelFiles:
    """A kernel that someone else built, as files.

    :param vmlinux: ELF64 x86-64 file with DWARF and a build-id
    :param boot: what to boot; default the vmlinux itself, stripped
    :param config: the kernel's configuration, if it is known
    :param modules: directory with its modules, if it has any
    :param origin: where they come from, for the manifest: ``package`` and ``package_version``
    """

    vmlinux: Path
    boot: Path | None = None
    config: Path | None = None
    modules: Path | None = None
    origin: Mapping[str, str] = field(default_factory=dict)


def find_modules(facts: ElfFacts, files: KernelFiles) -> list[Module]:
    """List the modules, in their order, that give a guest what the kernel has not built in.

    :param facts: those of the vmlinux
    :raises UsageError: if the agent could not be heard, or the kernel's memory not be read, even with them
    """
    tree = ModuleTree(files.modules) if files.modules is not None else None
    names: list[str] = []
    missing: list[Need] = []
    for need in not_built_in(facts.symbols):
        found = tree.serving(need.modalias) if tree is not None and need.modalias is not None else []
        names += found
        if need.required and not found:
            missing.append(need)
    if missing:
        also = " or as a module" if tree is not None else " built in"
        raise UsageError(
            f"{str(files.vmlinux)!r} has no {', no '.join(need.what for need in missing)}{also}",
            hint=f"build it with {' '.join(need.option for need in missing)}; "
            "ktrace image config --for DIR says what else it should have"
            + ("" if tree is not None else "; modules are looked for in --modules DIR"),
        )
    modules = tree.in_order(names) if tree is not None else []
    banner = banner_version(files.vmlinux)
    for module in modules:
        if banner is not None and module.release != banner[0]:
            raise UsageError(
                f"module {module.name!r} is for a kernel {module.release!r}, the vmlinux is {banner[0]!r}",
                hint="give the modules of the same build",
            )
    return modules


def _require_same_build(facts: ElfFacts, boot: ElfFacts, path: Path, vmlinux: Path) -> None:
    if boot.build_id != facts.build_id:
        raise UsageError(
            f"build-id {boot.build_id} of {str(path)!r} is not {facts.build_id} of {str(vmlinux)!r}",
            hint="give the boot file and the vmlinux of one and the same build",
        )


def _require_same_banner(image: bytes, path: Path, vmlinux: Path) -> None:
    """Compare what boot file and vmlinux say of themselves, where the build-id cannot be read."""
    boot, banner = bzimage_version(image), banner_version(vmlinux)
    if boot is not None and banner is not None and boot != banner:
        raise UsageError(
            f"{str(path)!r} is {' '.join(boot)!r}, but {str(vmlinux)!r} is {' '.join(banner)!r}",
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
        head = stream.read(HEAD)
        if is_bzimage(head):
            image = head + stream.read()
            payload = bzimage_payload(image)
            if payload is None:
                _require_same_banner(image, path, vmlinux)
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


Check = Callable[[Path], None]
"""Refuses a vmlinux that cannot be read; whoever knows what is read of a kernel says so."""


def unchecked(vmlinux: Path) -> None:
    """Refuse nothing."""
    del vmlinux


def import_kernel(store: Store, files: KernelFiles, progress: Progress, check: Check = unchecked) -> Path:
    """Put a foreign kernel into the store.

    :param check: refuses a vmlinux that is whole, but cannot be read
    :returns: its directory in the store
    :raises UsageError: for files that cannot be used, saying why and what to do
    """
    vmlinux, boot, config = files.vmlinux, files.boot, files.config
    facts = require_debuggable(vmlinux)
    modules = find_modules(facts, files)
    if boot is None and not facts.boots:
        what = "PVH entry" if facts.has_code else "code in it, only debug information"
        raise UsageError(
            f"{str(vmlinux)!r} has no {what}: QEMU cannot boot it",
            hint="build with CONFIG_PVH=y, or give the bzImage of the same build with --boot",
        )
    if config is not None:
        read_config(config)
    if boot is not None:
        _require_readable(boot)
    check(vmlinux)
    progress.stage("hashing what is imported")
    given = {"vmlinux": vmlinux, "boot": boot, "config": config}
    packed = pack_modules(modules) if modules else None
    with host_errors("read", vmlinux):
        inputs: dict[str, Any] = {
            "origin": "import",
            **{f"{role}_sha256": digest_file(path) if path else None for role, path in given.items()},
            **files.origin,
        }
    if packed is not None:
        inputs["modules"] = [module.name for module in modules]
        inputs["modules_sha256"] = digest_bytes(packed)

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
        if packed is not None:
            (output / MODULES).write_bytes(packed)
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
    modules = kernel / MODULES
    initramfs = ensure_initramfs(recipe.initramfs, store, progress, modules if modules.is_file() else None)
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


def require_import_name(name: str) -> None:
    """Refuse a name that an import cannot have.

    :raises UsageError: if it is none, or a recipe's
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"bad image name {name!r}", hint="use lower case letters, digits, '.', '_' and '-'")
    if name in recipe_names():
        raise UsageError(f"{name!r} is the name of a recipe", hint="give the import a name of its own")


def import_image(
    name: str,
    files: KernelFiles,
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    check: Check = unchecked,
) -> Image:
    """Make an image of a kernel that someone else built; it gets our initramfs, and those of its modules that it needs.

    :param name: name to give it, not that of a recipe; an earlier import of that name is replaced
    :param check: refuses a vmlinux that is whole, but cannot be read
    :raises UsageError: for a bad name, or files that cannot be used
    """
    require_import_name(name)
    store = store or open_store()
    progress = progress or Silent()
    with store.in_use():
        return _compose(name, import_kernel(store, files, progress, check), store, progress)


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
