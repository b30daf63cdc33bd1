"""Remove from the store what no name leads to any more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrace.errors import UsageError
from ktrace.image.apt import PLACE
from ktrace.image.recipe import readable_recipes, recipe_names
from ktrace.image.source import source_key
from ktrace.image.store import Store, host_errors
from ktrace.suggest import did_you_mean

#: Parts whose entries belong to images, a template says in its manifest which; to recipes; or to nobody for long.
_PARTS = ("images", "kernels", "initramfs", "templates", "sources", PLACE)


@dataclass(frozen=True)
class Pruned:
    """An entry that was removed.

    :param path: its directory
    :param size: bytes of files that nothing else held
    """

    path: Path
    size: int


def _manifest(directory: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((directory / "manifest.json").read_text())
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _kept(store: Store) -> dict[str, set[str]]:
    """List the keys of every entry that a name leads to, by part."""
    kept: dict[str, set[str]] = {part: set() for part in _PARTS}
    for name in store.ref_names():
        ref = store.read_ref(name) or {}
        manifest = _manifest(store.entry("images", str(ref.get("image"))))
        kept["images"].add(str(ref.get("image")))
        for part, key in (("kernels", "kernel"), ("initramfs", "initramfs")):
            kept[part].add(str(manifest.get(key, {}).get("key")))
    # A recipe whose kernel is not built yet keeps its source, too.
    for recipe in readable_recipes():
        kept["sources"].add(source_key(recipe.kernel))
    for template in (store.root / "templates").glob("*"):
        if _manifest(template).get("image") in kept["images"]:
            kept["templates"].add(template.name)
    return kept


def _size(directory: Path) -> int:
    facts = [path.stat() for path in directory.rglob("*") if path.is_file()]
    return sum(fact.st_blocks * 512 for fact in facts if fact.st_nlink == 1)


def remove_image(store: Store, name: str) -> list[Pruned]:
    """Remove the image *name*, its templates, and the kernel and initramfs that no other image has.

    Guests that run keep what they have. Waits for builds to end.

    :returns: what was removed
    :raises UsageError: there is no such image
    :raises HostError: something cannot be removed
    """
    with store.locked("prune"):
        ref = store.read_ref(name)
        if ref is None:
            built = f"there is: {', '.join(store.ref_names()) or 'none'}"
            what = f"image {name!r} is not built" if name in recipe_names() else f"no image {name!r}"
            raise UsageError(what, did_you_mean(name, store.ref_names(), built))
        store.remove_ref(name)
        key = str(ref.get("image"))
        if any((store.read_ref(other) or {}).get("image") == key for other in store.ref_names()):
            return []
        manifest = _manifest(store.entry("images", key))
        others = [_manifest(path) for path in (store.root / "images").glob("*") if path.name != key]
        doomed = [store.entry("images", key)]
        doomed += [path for path in (store.root / "templates").glob("*") if _manifest(path).get("image") == key]
        for part, member in (("kernels", "kernel"), ("initramfs", "initramfs")):
            own = manifest.get(member, {}).get("key")
            if own is not None and all(other.get(member, {}).get("key") != own for other in others):
                doomed.append(store.entry(part, str(own)))
        return [_removed(store, directory) for directory in doomed if directory.is_dir()]


def prune_store(store: Store) -> list[Pruned]:
    """Remove every entry that no name leads to, and the work of dead builders.

    Guests that run keep what they have: they hold their files open. Waits for builds to end.

    :returns: what was removed
    :raises HostError: if something cannot be removed
    """
    removed = []
    with store.locked("prune"):
        store.remove_stale()
        kept = _kept(store)
        for part in _PARTS:
            for directory in sorted((store.root / part).glob("*")):
                if directory.name not in kept[part]:
                    removed.append(_removed(store, directory))
    return removed


def _removed(store: Store, directory: Path) -> Pruned:
    with host_errors("remove", directory):
        pruned = Pruned(directory, _size(directory))
    store.bury(directory)
    return pruned
