"""What an image was made from, in the words of in-toto: a Statement v1 whose predicate is SLSA's provenance v1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.image.image import Image
from ktrace.version import VERSION

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:ktrace:image:v1"
"""How it was built: ``ktrace image build`` or ``import``, which docs/images.md describes."""
_SHA256 = 64


def statement_of(image: Image) -> dict[str, Any]:
    """Return the statement of an image: its files are subjects, what they were made from is named below."""
    manifest = image.manifest
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(manifest["outputs"].items())
        ],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"name": image.name, "origin": manifest.get("origin", "recipe")},
                "internalParameters": {
                    part: dict(_parameters(manifest[part]["inputs"])) for part in ("kernel", "initramfs")
                },
                "resolvedDependencies": [
                    {"name": name, "digest": {"sha256": digest}}
                    for part in ("kernel", "initramfs")
                    for name, digest in _dependencies(part, manifest[part].get("inputs", {}))
                ],
            },
            "runDetails": {"builder": {"id": "urn:ktrace", "version": {"ktrace": VERSION}}},
        },
    }


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == _SHA256 and set(value) <= set("0123456789abcdef")


def _dependencies(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield everything in the inputs that is named by the digest of its content."""
    if isinstance(value, Mapping):
        for key, item in sorted(value.items()):
            yield from _dependencies(f"{name}/{key}", item)
    elif _is_digest(value):
        yield name, value


def _parameters(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the other inputs."""
    for key, item in sorted(inputs.items()):
        if isinstance(item, Mapping):
            if rest := dict(_parameters(item)):
                yield key, rest
        elif not _is_digest(item) and item is not None:
            yield key, item
