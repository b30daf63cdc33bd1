"""What can be said of an image, as data."""

from __future__ import annotations

from typing import Any

from ktrace.errors import HostError
from ktrace.image.image import Image, changed_inputs, find_image
from ktrace.image.store import Store


def image_facts(image: Image) -> dict[str, Any]:
    """Return what can be said of an image, as data."""
    kernel = image.manifest["kernel"]
    return {
        "name": image.name,
        "key": image.key,
        "origin": image.manifest["origin"],
        "build_id": image.build_id,
        "boot_format": image.manifest["boot_format"],
        "directory": str(image.directory),
        "kernel": str(image.kernel),
        "vmlinux": str(image.vmlinux),
        "initramfs": str(image.initramfs),
        "config": str(image.config) if image.config else None,
        "package": kernel["inputs"].get("package"),
        "package_version": kernel["inputs"].get("package_version"),
        "modules": kernel["inputs"].get("modules", []),
        "memory_mib": image.memory_mib,
        "outputs": image.manifest["outputs"],
        "changed_inputs": changed_inputs(image),
    }


def image_state(store: Store, name: str) -> dict[str, Any]:
    """Return the same of the image that is called *name*, built or not, and whether it is out of date."""
    ref = store.read_ref(name)
    directory = store.entry("images", str((ref or {}).get("image")))
    if ref is None or not directory.is_dir():
        return {"name": name, "state": "not built"}
    try:
        image = find_image(name, store=store, check_inputs=False)
    except HostError:
        return {"name": name, "state": "damaged"}
    changed = changed_inputs(image)
    return {**image_facts(image), "state": "out of date" if changed else "built"}
