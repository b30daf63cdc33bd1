"""Images to hand on: one file with kernel, debug information, initramfs and what they were made from."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard

from ktrace.errors import HostError, UsageError
from ktrace.image.damage import damaged_files
from ktrace.image.image import Image, compose_image, find_image, open_image
from ktrace.image.recipe import NAME, recipe_names
from ktrace.image.statement import statement_of
from ktrace.image.store import Store, digest_file, digest_json, open_store, write_json

MANIFEST = "manifest.json"
STATEMENT = "statement.json"
FORMAT = "ktrace-image-1"
"""What the archive's only directory is called."""
_LEVEL = 10
_LIMIT = 4 << 30
"""Bytes that a file of an image may have."""
_TEXT_LIMIT = 16 << 20
_PARTS = ("kernel", "initramfs")


def image_digest(image: Image) -> str:
    """Return one digest of all files of an image: who built the same bits, wherever, has the same.

    :raises HostError: a file is not as it was built
    """
    if damaged := damaged_files(image):
        raise HostError(f"image {image.name!r} is damaged: {', '.join(damaged)} in {str(image.directory)!r}")
    return f"sha256:{digest_json(dict(image.manifest['outputs']))}"


def pack_image(name: str, file: IO[bytes], *, store: Store | None = None) -> Image:
    """Write an image to *file*, a tar archive compressed with zstd; the same image gives the same archive.

    :raises UsageError: there is no such image
    :raises HostError: it is not built, or damaged
    """
    image = find_image(name, store=store, check_inputs=False)
    image_digest(image)
    with (
        zstandard.ZstdCompressor(level=_LEVEL).stream_writer(file, closefd=False) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        # What tells what is in it comes first: a reader need not look any further.
        _add(archive, MANIFEST, _json({"name": name, **image.manifest}))
        _add(archive, STATEMENT, _json(statement_of(image)))
        for part in sorted(image.manifest["outputs"]):
            with (image.directory / part).open("rb") as stream:
                _add(archive, part, stream, os.fstat(stream.fileno()).st_size)
    return image


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def _add(archive: tarfile.TarFile, name: str, data: bytes | IO[bytes], size: int = 0) -> None:
    """Add a file that is owned by nobody and has no time."""
    entry = tarfile.TarInfo(f"{FORMAT}/{name}")
    entry.mode = 0o444
    entry.size = len(data) if isinstance(data, bytes) else size
    archive.addfile(entry, io.BytesIO(data) if isinstance(data, bytes) else data)


def unpack_image(path: Path, *, name: str | None = None, store: Store | None = None) -> Image:
    """Take an image from the archive at *path* into the store.

    :param name: to give it; default the one that it was packed by
    :raises UsageError: it is no such archive, a file in it is not as it was packed, or another image has the name
    :raises HostError: it cannot be read, or the store cannot be written
    """
    store = store or open_store()
    with store.in_use(), store.locked(lock := f"unpack-{os.getpid()}"), store.workplace(lock) as scratch:
        with _reading(path):
            manifest = _take(path, scratch)
        packed = str(manifest.pop("name", ""))
        name = _checked_name(packed if name is None else name, manifest, store, scratch)
        entries = [_enter(store, part, manifest[part], scratch) for part in _PARTS]
        key = digest_json({"name": name, "kernel": entries[0].name, "initramfs": entries[1].name})
        directory = compose_image(store, entries[0], entries[1], manifest, key)
        imported = manifest.get("origin") == "import"
        store.write_ref(
            name, {"image": key, **({"kernel": entries[0].name, "origin": "import"} if imported else {})}
        )  # fmt: skip
    (store.root / "locks" / f"{lock}.lock").unlink(missing_ok=True)
    return open_image(name, directory)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Tell what is wrong with an archive.

    :raises UsageError: it is none of ours, or torn
    """
    try:
        yield
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{str(path)!r} is no image of ktrace, or not all of it: {error}", "pack it again with: ktrace image pack"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def _take(path: Path, scratch: Path) -> dict[str, Any]:
    """Put the files of an archive into *scratch*, and return its manifest, all of them as that says."""
    manifest: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    with (
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as archive,
    ):
        for entry in archive:
            directory, _, name = entry.name.partition("/")
            stream = archive.extractfile(entry) if entry.isreg() else None
            if directory != FORMAT or stream is None:
                raise ValueError(f"{entry.name!r} does not belong there")
            if name == MANIFEST and not manifest:
                manifest = json.loads(stream.read(_TEXT_LIMIT))
                outputs = _checked_outputs(manifest)
            elif name != STATEMENT:
                if name not in outputs or (scratch / name).exists() or entry.size > _LIMIT:
                    raise ValueError(f"{entry.name!r} does not belong there")
                with (scratch / name).open("xb") as target:
                    shutil.copyfileobj(stream, target, 1 << 20)
                if digest_file(scratch / name) != outputs[name]:
                    raise ValueError(f"{name} is not as it was packed")
    if not manifest:
        raise ValueError("there is nothing in it")
    if missing := outputs.keys() - {item.name for item in scratch.iterdir()}:
        raise ValueError(f"{', '.join(sorted(missing))} missing")
    return manifest


def _checked_outputs(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of all files, as both parts of a manifest have them."""
    outputs: dict[str, str] = {}
    for part in _PARTS:
        if manifest[part]["key"] != digest_json(manifest[part]["inputs"]):
            raise ValueError(f"the key of the {part} is not that of its inputs")
        outputs.update(manifest[part]["outputs"])
    if outputs != manifest["outputs"] or not {"kernel", "vmlinux", "initramfs"} <= outputs.keys():
        raise ValueError("its manifest contradicts itself")
    if not all(NAME.fullmatch(name) for name in outputs):
        raise ValueError("its files have strange names")
    return outputs


def _checked_name(name: str, manifest: Mapping[str, Any], store: Store, scratch: Path) -> str:
    """Return the name that an image is to have.

    :raises UsageError: it is none, or another image's
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"bad image name {name!r}", "use lower case letters, digits, '.', '_' and '-'")
    if name in recipe_names() and manifest.get("recipe" if manifest.get("origin") != "import" else "") != name:
        raise UsageError(f"{name!r} is the name of a recipe", "give it another with --name")
    ref = store.read_ref(name)
    if ref is not None:
        there = store.entry("images", str(ref.get("image")))
        if there.is_dir() and open_image(name, there).manifest["outputs"] != manifest["outputs"]:
            raise UsageError(
                f"there is another image {name!r} already", "give it another name with --name, or remove that one"
            )
    return name


def _enter(store: Store, part: str, manifest: Mapping[str, Any], scratch: Path) -> Path:
    """Put a part of an image into the store, or find that it is there with the same bits.

    :raises UsageError: other bits were built of the same inputs here
    """

    def move(_scratch: Path, output: Path) -> None:
        for name in manifest["outputs"]:
            (scratch / name).rename(output / name)
        write_json(output / MANIFEST, dict(manifest))

    entry = store.build("kernels" if part == "kernel" else part, str(manifest["key"]), move)
    there = json.loads((entry / MANIFEST).read_text())["outputs"]
    if differing := sorted(name for name in manifest["outputs"] if there.get(name) != manifest["outputs"][name]):
        raise UsageError(
            f"the same inputs gave other bits here: {', '.join(differing)} of {str(entry)!r}",
            "one of the two was not built as it says: ktrace image verify builds it again",
        )
    return entry
