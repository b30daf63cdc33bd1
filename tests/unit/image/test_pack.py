"""Images that are handed on arrive bit for bit, or not at all."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from ktrace.cli.image import image
from ktrace.errors import HostError, UsageError
from ktrace.image.foreign import KernelFiles, import_image, refresh_import
from ktrace.image.image import Image, find_image
from ktrace.image.pack import FORMAT, image_digest, pack_image, unpack_image
from ktrace.image.store import Store, open_store

OTHER = "int _start(void) { return 7; }"


@pytest.fixture
def mine(kernel: Path, tmp_path: Path, store: Store) -> Image:
    (tmp_path / "dot-config").write_text("CONFIG_A=y\n")
    return import_image("mine", KernelFiles(kernel, config=tmp_path / "dot-config"), store=store)


@pytest.fixture
def theirs(tmp_path: Path) -> Store:
    """Somebody else's store."""
    return open_store(tmp_path / "theirs")


@pytest.fixture
def packed(mine: Image, store: Store, tmp_path: Path) -> Path:
    path = tmp_path / "mine.tar.zst"
    with path.open("wb") as file:
        assert pack_image("mine", file, store=store) == mine
    return path


def members(path: Path) -> dict[str, bytes]:
    """Return what is in an archive."""
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def repack(path: Path, content: Mapping[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    """Write an archive with that content in the place of another."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(data), kind
            archive.addfile(entry, io.BytesIO(data))
    path.write_bytes(zstandard.ZstdCompressor().compress(plain.getvalue()))
    return path


def test_an_image_arrives_as_it_was_packed(mine: Image, packed: Path, theirs: Store) -> None:
    arrived = unpack_image(packed, store=theirs)
    assert arrived == find_image("mine", store=theirs)
    assert image_digest(arrived) == image_digest(mine)
    assert arrived.manifest == mine.manifest and arrived.key == mine.key
    for part in ("kernel", "vmlinux", "initramfs", "config"):
        assert (arrived.directory / part).read_bytes() == (mine.directory / part).read_bytes()
    # All that can be done with an image of one's own can be done with it.
    assert refresh_import("mine", store=theirs).key == mine.key
    assert unpack_image(packed, store=theirs) == arrived, "twice is no harm"
    assert unpack_image(packed, name="copy", store=theirs).name == "copy"
    assert not list((theirs.root / "tmp").iterdir())


def test_the_same_image_gives_the_same_archive(packed: Path, store: Store, theirs: Store) -> None:
    unpack_image(packed, store=theirs)
    again = io.BytesIO()
    pack_image("mine", again, store=theirs)
    assert again.getvalue() == packed.read_bytes()


def test_the_statement_says_what_all_of_it_was_made_from(mine: Image, packed: Path) -> None:
    content = members(packed)
    statement = json.loads(content[f"{FORMAT}/statement.json"])
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
    files = {name.partition("/")[2]: data for name, data in content.items()}
    assert subjects == {name: hashlib.sha256(files[name]).hexdigest() for name in subjects}
    assert subjects.keys() == files.keys() - {"manifest.json", "statement.json"}
    definition = statement["predicate"]["buildDefinition"]
    named = {item["name"]: item["digest"]["sha256"] for item in definition["resolvedDependencies"]}
    assert named["initramfs/sources/agent.c"] == mine.manifest["initramfs"]["inputs"]["sources"]["agent.c"]
    assert any(name.startswith("kernel/") for name in named)
    assert "gcc" in definition["internalParameters"]["initramfs"]["tools"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it | {f"{FORMAT}/kernel": it[f"{FORMAT}/kernel"] + b"\0"}, "kernel is not as it was packed"),
        (lambda it: {name: data for name, data in it.items() if "vmlinux" not in name}, "vmlinux missing"),
        (lambda it: it | {f"{FORMAT}/../../evil": b"x"}, "does not belong there"),
        (lambda it: it | {"/etc/evil": b"x"}, "'/etc/evil' does not belong there"),
        (lambda it: it | {f"{FORMAT}/other": b"x"}, "does not belong there"),
        (lambda it: dict(reversed(it.items())), "does not belong there"),
        (lambda it: it | {f"{FORMAT}/manifest.json": b"[]"}, "no image of ktrace"),
        (lambda it: it | {f"{FORMAT}/manifest.json": b"{"}, "no image of ktrace"),
        (lambda it: it | {f"{FORMAT}/manifest.json": otherwise(it, "inputs")}, "key of the kernel is not that of its"),
        (lambda it: it | {f"{FORMAT}/manifest.json": otherwise(it, "outputs")}, "manifest contradicts itself"),
        (lambda it: {}, "there is nothing in it"),
    ],
)
def test_what_is_not_as_it_was_packed_is_refused(
    change: Callable[[dict[str, bytes]], dict[str, bytes]], said: str, packed: Path, theirs: Store
) -> None:
    with pytest.raises(UsageError, match=said):
        unpack_image(repack(packed, change(members(packed))), store=theirs)
    assert theirs.ref_names() == []
    assert not any(list((theirs.root / part).iterdir()) for part in ("images", "kernels", "tmp"))


def otherwise(content: Mapping[str, bytes], what: str) -> bytes:
    """Return a manifest in which one part of the kernel's is changed."""
    manifest = json.loads(content[f"{FORMAT}/manifest.json"])
    manifest["kernel"][what]["strange"] = "0" * 64
    return json.dumps(manifest).encode()


def test_links_and_torn_archives_are_refused(packed: Path, theirs: Store, tmp_path: Path) -> None:
    whole = packed.read_bytes()
    for size in (0, 3, len(whole) // 2, len(whole) - 1):
        (tmp_path / "torn").write_bytes(whole[:size])
        with pytest.raises(UsageError, match="is no image of ktrace, or not all of it"):
            unpack_image(tmp_path / "torn", store=theirs)
    with pytest.raises(UsageError, match="does not belong there"):
        unpack_image(repack(tmp_path / "link", {f"{FORMAT}/kernel": b""}, tarfile.SYMTYPE), store=theirs)
    with pytest.raises(UsageError, match="cannot read"):
        unpack_image(tmp_path / "none", store=theirs)


def test_names_are_nobody_elses(packed: Path, store: Store, link: Callable[..., Path]) -> None:
    for name, said in (("lab-6.1", "name of a recipe"), ("../x", "bad image name")):
        with pytest.raises(UsageError, match=said):
            unpack_image(packed, name=name, store=store)
    other = link("other", "-g", "-Wl,--build-id=sha1", source=OTHER)
    import_image("another", KernelFiles(other), store=store)
    with pytest.raises(UsageError, match="there is another image 'another' already"):
        unpack_image(packed, name="another", store=store)


def test_other_bits_of_the_same_inputs_are_told(mine: Image, packed: Path, store: Store, theirs: Store) -> None:
    arrived = unpack_image(packed, store=theirs)
    entry = theirs.entry("kernels", arrived.manifest["kernel"]["key"]) / "manifest.json"
    manifest = json.loads(entry.read_text())
    manifest["outputs"]["kernel"] = "0" * 64
    entry.chmod(0o600)
    entry.write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="the same inputs gave other bits here: kernel"):
        unpack_image(packed, name="copy", store=theirs)


def test_the_commands_hand_on_and_compare(mine: Image, store: Store, tmp_path: Path, monkeypatch) -> None:
    def run(cache: str, *arguments: str) -> str:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / cache))
        done = CliRunner().invoke(image, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    (tmp_path / "one").mkdir()
    store.root.rename(tmp_path / "one" / "ktrace")
    line = run("one", "digest", "mine")
    assert line == run("one", "pack", "mine", "-o", str(tmp_path / "image.tar.zst"))
    assert line == run("other", "unpack", str(tmp_path / "image.tar.zst"))
    assert line == run("other", "digest", "mine") and line.endswith("  mine\n")
    assert "mine" in run("other", "list")


def test_a_damaged_image_is_not_handed_on(mine: Image, store: Store) -> None:
    kernel = mine.directory / "kernel"
    kernel.chmod(0o600)
    kernel.write_bytes(kernel.read_bytes() + b"\0")
    with pytest.raises(HostError, match="image 'mine' is damaged: kernel"):
        pack_image("mine", io.BytesIO(), store=store)
