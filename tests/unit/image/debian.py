"""A Debian archive in a directory, made by Debian's own tools, for the real apt to fetch from."""

from __future__ import annotations

import hashlib
import lzma
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path


def build_deb(
    directory: Path,
    package: str,
    version: str,
    files: Mapping[str, bytes],
    depends: str = "",
    links: Mapping[str, str] | None = None,
) -> Path:
    """Make a package file.

    :param files: names without leading slash, and what is in them
    :param links: names of symbolic links, and their targets
    """
    tree = directory / f"{package}-{version}-tree"
    control = f"Package: {package}\nVersion: {version}\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\n"
    control += f"Depends: {depends}\n" if depends else ""
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(control + "Description: made by a test\n")
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    for name, target in (links or {}).items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).symlink_to(target)
    path = directory / f"{package}_{version.replace(':', '%3a')}_amd64.deb"
    subprocess.run(["dpkg-deb", "--build", "-Znone", "--root-owner-group", tree, path], check=True, capture_output=True)
    return path


def source_deb(directory: Path, package: str, version: str, files: Mapping[str, str]) -> Path:
    """Make a package with a kernel source, as Debian packs them."""
    top = directory / f"{package}-{version}-source"
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    tarball = directory / f"{package}-{version}.tar"
    with tarfile.open(tarball, "w") as archive:
        archive.add(top, arcname=package)
    packed = lzma.compress(tarball.read_bytes(), preset=0)
    return build_deb(directory, package, version, {f"usr/src/{package}.tar.xz": packed})


def publish(root: Path, suite: str, debs: list[Path]) -> None:
    """Make *debs* what a suite of the archive below *root* has.

    :param root: directory of the archive; ``file:`` and it is the archive's URI
    """
    place = root / "dists" / suite
    index = place / "main" / "binary-amd64" / "Packages"
    index.parent.mkdir(parents=True, exist_ok=True)
    (root / "pool").mkdir(exist_ok=True)
    text = ""
    for deb in debs:
        pooled = root / "pool" / deb.name
        pooled.write_bytes(deb.read_bytes())
        fields = subprocess.run(["dpkg-deb", "--field", deb], check=True, capture_output=True, text=True).stdout
        digest = hashlib.sha256(deb.read_bytes()).hexdigest()
        text += f"{fields}Filename: pool/{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n\n"
    index.write_text(text)
    digest, size = hashlib.sha256(index.read_bytes()).hexdigest(), index.stat().st_size
    (place / "Release").write_text(
        f"Origin: Debian\nLabel: Debian\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
        f"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n {digest} {size} main/binary-amd64/Packages\n"
    )


def configure(directory: Path, root: Path, suite: str) -> Path:
    """Configure apt for that archive and one suite of it, and nothing else.

    :returns: the file to name in ``APT_CONFIG``
    """
    (directory / "sources").mkdir()
    (directory / "sources" / "test.sources").write_text(
        f"Types: deb\nURIs: file:{root}\nSuites: {suite}\nComponents: main\nArchitectures: amd64\nTrusted: yes\n"
    )
    (directory / "lists" / "partial").mkdir(parents=True)
    settings = directory / "machine.conf"
    settings.write_text(
        f'Dir::Etc::sourceparts "{directory}/sources";\nDir::Etc::sourcelist "/dev/null";\n'
        f'Dir::State::Lists "{directory}/lists";\nDir::Cache "{directory}/cache";\n'
    )
    return settings
