"""Images that can be booted: find them, list them, and say what they are."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrace.errors import HostError, UsageError
from ktrace.image.footprint import enough_mib
from ktrace.image.initramfs import source_digests
from ktrace.image.kconfig import merge_fragments
from ktrace.image.recipe import load_recipe, recipe_names
from ktrace.image.store import Store, host_errors, open_store, write_json
from ktrace.suggest import did_you_mean


@dataclass(frozen=True)
class Image:
    """Something to boot, and what is needed to read it.

    :param name: the name it was asked for by
    :param directory: its directory in the store
    :param kernel: what QEMU boots: an ELF file with a PVH entry, or a foreign bzImage
    :param vmlinux: ELF file with DWARF
    :param initramfs: newc cpio archive with agent and init
    :param config: the kernel's configuration, ``None`` where it is not known
    :param manifest: what it was made from and with
    :param build_id: hex digits of the kernel's build-id, as read from ``vmlinux``
    :param key: digest that names the image in the store
    """

    name: str
    directory: Path
    kernel: Path
    vmlinux: Path
    initramfs: Path
    config: Path | None
    manifest: Mapping[str, Any]
    build_id: str
    key: str

    @property
    def boots(self) -> bool:
        """Tell whether everything that a boot needs is there."""
        return self.kernel.is_file() and self.initramfs.is_file()

    @property
    def memory_mib(self) -> int:
        """MiB that a guest is given if nobody says otherwise: what kernel and initramfs need."""
        with host_errors("read", self.kernel):
            return enough_mib(self.kernel, self.initramfs)

    @property
    def imported(self) -> bool:
        """Tell whether the kernel was built by someone else."""
        return self.manifest.get("origin") == "import"


def compose_image(store: Store, kernel: Path, initramfs: Path, manifest: Mapping[str, Any], key: str) -> Path:
    """Unite a kernel and an initramfs of the store in one image directory, as hard links.

    :param kernel: entry with kernel, vmlinux, maybe config
    :param initramfs: entry with initramfs
    :param key: digest of what the image is made from
    :returns: the image's directory
    """

    def link(_scratch: Path, output: Path) -> None:
        for part in (kernel, initramfs):
            for path in part.iterdir():
                if path.name != "manifest.json":
                    os.link(path, output / path.name)
        write_json(output / "manifest.json", manifest)

    return store.build("images", key, link)


def open_image(name: str, directory: Path) -> Image:
    """Make an :class:`Image` of a directory of the store.

    :raises HostError: if the directory is not what a finished build leaves
    """
    manifest_path = directory / "manifest.json"
    try:
        manifest = json.loads(manifest_path.read_text())
        build_id = str(manifest["build_id"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"image {name!r} in {str(directory)!r} is damaged: {error}",
            hint="remove that directory and build again",
        ) from error
    config = directory / "config"
    image = Image(
        name=name,
        directory=directory,
        kernel=directory / "kernel",
        vmlinux=directory / "vmlinux",
        initramfs=directory / "initramfs",
        config=config if config.is_file() else None,
        manifest=manifest,
        build_id=build_id,
        key=directory.name,
    )
    for path in (image.kernel, image.vmlinux, image.initramfs):
        if not path.is_file():
            raise HostError(f"image {name!r} lacks {str(path)!r}", hint="remove its directory and build again")
    return image


def changed_inputs(image: Image) -> list[str]:
    """Name the inputs in the checkout that are not what the image was built from.

    Only what is cheap to look at is looked at: C files, options, the recipe; not the kernel's tarball.
    """
    recipe_name = str(image.manifest.get("recipe", image.name))
    if recipe_name not in recipe_names():
        return []
    recipe = load_recipe(recipe_name)
    changed = []
    built = image.manifest["initramfs"]["inputs"]
    now = source_digests(recipe.initramfs)
    changed += sorted(
        f"guest/{name}" for name in now.keys() | built["sources"].keys() if now.get(name) != built["sources"].get(name)
    )
    if built["cflags"] != list(recipe.initramfs.cflags):
        changed.append("cflags of the guest programs")
    if not image.imported:
        kernel = image.manifest["kernel"]["inputs"]
        merged = merge_fragments(recipe.kernel.read_fragments())
        options = {option: value for option, (value, _) in merged.items()}
        changed += sorted(
            option
            for option in options.keys() | kernel["options"].keys()
            if options.get(option) != kernel["options"].get(option)
        )
        if kernel["make_variables"] != dict(recipe.kernel.make_variables):
            changed.append("make variables of the kernel")
    return changed


def _twin_of_this_checkout(image: Image, store: Store) -> Image | None:
    """Find the same kernel with the agent and init of this checkout: two checkouts may share a store."""
    for directory in sorted((store.root / "images").glob("*")):
        try:
            other = open_image(image.name, directory)
        except HostError:
            continue
        same = all(other.manifest.get(key) == image.manifest.get(key) for key in ("origin", "recipe", "kernel"))
        if same and not changed_inputs(other):
            return other
    return None


def known_names(store: Store) -> list[str]:
    """List the names of all recipes and of everything in the store."""
    return sorted({*recipe_names(), *store.ref_names()})


def find_image(name: str, *, store: Store | None = None, check_inputs: bool = True) -> Image:
    """Find a built image: the one that was built last, or, if that is another checkout's, this one's.

    :param name: name of a recipe or of an imported kernel
    :param store: where to look; default the user's own
    :param check_inputs: refuse an image whose inputs in the checkout have changed since
    :raises UsageError: for a name that nothing has
    :raises HostError: if it is not built, out of date or damaged
    """
    store = store or open_store()
    ref = store.read_ref(name)
    if ref is None:
        if name in recipe_names():
            raise HostError(f"image {name!r} is not built", hint=f"run: ktrace image build {name}")
        known = known_names(store)
        raise UsageError(f"no image {name!r}", did_you_mean(name, known, f"there is: {', '.join(known) or 'none'}"))
    directory = store.entry("images", str(ref.get("image")))
    if not directory.is_dir():
        raise HostError(f"image {name!r} is no longer in the store", hint=f"run: ktrace image build {name}")
    image = open_image(name, directory)
    if changed := changed_inputs(image):
        if (twin := _twin_of_this_checkout(image, store)) is not None:
            return twin
        if not check_inputs:
            return image
        shown = ", ".join(changed[:4]) + (f" and {len(changed) - 4} more" if len(changed) > 4 else "")
        again = "refresh" if image.imported else "build"
        raise HostError(
            f"image {name!r} is out of date: {shown} changed since it was built",
            hint=f"run: ktrace image {again} {name}",
        )
    return image
