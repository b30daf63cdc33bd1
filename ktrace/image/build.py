"""Build an image from its recipe, or only what of it has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ktrace.image.damage import damaged_outputs
from ktrace.image.image import Image, compose_image, open_image
from ktrace.image.initramfs import build_initramfs, initramfs_inputs
from ktrace.image.kernel import build_kernel, kernel_inputs
from ktrace.image.progress import Progress, Silent
from ktrace.image.recipe import InitramfsRecipe, Recipe, load_recipe
from ktrace.image.source import find_source
from ktrace.image.store import Store, digest_file, digest_json, open_store

#: The recipe whose initramfs imported kernels get, and the image used when none is named.
DEFAULT_RECIPE = "lab-6.1"


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of an entry of the store."""
    return dict(json.loads((directory / "manifest.json").read_text()))


def _waiting(progress: Progress, what: str) -> Callable[[str], None]:
    return lambda pid: progress.note(f"another ktrace (process {pid}) is building {what}: waiting for it")


def ensure_kernel(recipe: Recipe, store: Store, progress: Progress) -> Path:
    """Return the recipe's kernel in the store, building it if it is not there."""
    source = find_source(recipe.kernel, store, progress)
    key = digest_json(kernel_inputs(recipe.kernel, source))
    return store.build(
        "kernels",
        key,
        lambda scratch, output: build_kernel(recipe.kernel, source, scratch, output, progress),
        _waiting(progress, f"the kernel of {recipe.name}"),
    )


def ensure_initramfs(recipe: InitramfsRecipe, store: Store, progress: Progress, modules: Path | None = None) -> Path:
    """Return the initramfs in the store, building it if it is not there.

    :param modules: archive of the kernel modules that init has to load, if there are any
    """
    key = digest_json(initramfs_inputs(recipe, modules))
    return store.build(
        "initramfs",
        key,
        lambda scratch, output: build_initramfs(recipe, scratch, output, progress, modules),
        _waiting(progress, "the initramfs"),
    )


def _whole(store: Store, ensure: Callable[[], Path], progress: Progress) -> Path:
    """Return an entry of the store, built again if a file of it is not as it was built."""

    def damage(directory: Path) -> list[str]:
        return damaged_outputs(directory, read_manifest(directory))

    entry = ensure()
    if damaged := damage(entry):
        progress.note(f"{', '.join(damaged)} in {str(entry)!r} is damaged: building it again")
        store.remove(entry.parent.name, entry.name, lambda directory: bool(damage(directory)))
        entry = ensure()
    return entry


def build_image(name: str, *, store: Store | None = None, progress: Progress | None = None) -> Image:
    """Build an image, or find that it is there.

    :param name: name of a recipe
    :param store: where; default the user's own
    :param progress: told how far it is
    :raises UsageError: for an unknown name, a faulty recipe, options that kconfig drops, C that does not compile
    :raises HostError: for missing packages or tools, a full disk, a store that cannot be written
    """
    recipe = load_recipe(name)
    store = store or open_store()
    progress = progress or Silent()
    with store.in_use():
        kernel = _whole(store, lambda: ensure_kernel(recipe, store, progress), progress)
        initramfs = _whole(store, lambda: ensure_initramfs(recipe.initramfs, store, progress), progress)
        kernel_manifest, initramfs_manifest = read_manifest(kernel), read_manifest(initramfs)
        manifest = {
            "origin": "recipe",
            "recipe": recipe.name,
            "recipe_sha256": digest_file(recipe.path),
            "build_id": kernel_manifest["build_id"],
            "boot_format": kernel_manifest["boot_format"],
            "kernel": kernel_manifest,
            "initramfs": initramfs_manifest,
            "outputs": {**kernel_manifest["outputs"], **initramfs_manifest["outputs"]},
        }
        key = digest_json({"name": recipe.name, "kernel": kernel.name, "initramfs": initramfs.name})
        directory = _whole(store, lambda: compose_image(store, kernel, initramfs, manifest, key), progress)
        store.write_ref(recipe.name, {"image": key})
    return open_image(recipe.name, directory)
