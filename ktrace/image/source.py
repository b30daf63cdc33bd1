"""Kernel sources as Debian ships them, ``linux-source-X.Y.tar.xz``: installed or fetched."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import HostError, UsageError
from ktrace.image.apt import Apt
from ktrace.image.deb import extract_deb
from ktrace.image.progress import Progress
from ktrace.image.recipe import KernelRecipe
from ktrace.image.store import Store, digest_file, digest_json, write_json
from ktrace.image.toolchain import clean_environment, require_tool, run_tool
from ktrace.image.workspace import Workspace

SOURCES = Path("/usr/src")


@dataclass(frozen=True)
class SourcePackage:
    """A kernel source package.

    :param name: package name
    :param version: its version, as dpkg or the recipe says
    :param tarball: path of the tarball
    :param digest: SHA-256 of the tarball
    """

    name: str
    version: str
    tarball: Path
    digest: str


def package_version(name: str) -> str | None:
    """Ask dpkg for the version of an installed package, ``None`` if it is not installed."""
    argv = [require_tool("dpkg-query"), "--show", "--showformat=${db:Status-Status} ${Version}", name]
    answer = subprocess.run(argv, env=clean_environment(), capture_output=True, text=True, timeout=20, check=False)
    status, _, version = answer.stdout.partition(" ")
    return version if answer.returncode == 0 and status == "installed" else None


def is_offered(name: str) -> bool:
    """Ask apt whether it knows a package: another release of Debian has other kernels.

    :raises HostError: apt is not installed
    """
    argv = [require_tool("apt-cache"), "policy", name]
    answer = subprocess.run(argv, env=clean_environment(), capture_output=True, text=True, timeout=20, check=False)
    return "Candidate: " in answer.stdout and "Candidate: (none)" not in answer.stdout


def _remembered_digest(store: Store, tarball: Path) -> str:
    """Hash a tarball, or remember its hash if size, inode and time are those of the last hashing."""
    facts = tarball.stat()
    identity = [str(tarball), facts.st_size, facts.st_ino, facts.st_mtime_ns]
    memory = store.root / "locks" / f"{tarball.name}.digest.json"
    try:
        known = json.loads(memory.read_text())
        if known["identity"] == identity:
            return str(known["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    digest = digest_file(tarball)
    write_json(memory, {"identity": identity, "digest": digest})
    return digest


def _installed_source(name: str, store: Store) -> SourcePackage:
    hint = f"install it as root with: apt-get install {name}"
    version = package_version(name)
    if version is None:
        raise HostError(f"package {name!r} is not installed", hint=hint)
    tarball = SOURCES / f"{name}.tar.xz"
    if not tarball.is_file():
        raise HostError(f"package {name!r} is installed, but {str(tarball)!r} is missing", hint=hint)
    return SourcePackage(name, version, tarball, _remembered_digest(store, tarball))


def source_key(recipe: KernelRecipe) -> str:
    """Name a fetched source in the store."""
    return digest_json({"package": recipe.package, "version": recipe.version})


def find_source(recipe: KernelRecipe, store: Store, progress: Progress) -> SourcePackage:
    """Find the source of a recipe's kernel; one of a suite is fetched if it is not in the store yet.

    :param store: keeps what is fetched, and remembers digests of tarballs
    :raises HostError: if it is not installed, its tarball is missing, or the archive cannot be reached
    :raises UsageError: if the suite has not got it (any more), saying what it has
    """
    if recipe.suite is None or recipe.version is None:
        return _installed_source(recipe.package, store)
    name, version, suite = recipe.package, recipe.version, recipe.suite

    def fetch(scratch: Path, output: Path) -> None:
        progress.stage(f"fetching {name} {version} from {suite}")
        with store.in_use():
            apt = Apt(store, (suite,))
            deb = apt.download(apt.find(name, version), scratch)
        tarball = output / f"{name}.tar.xz"
        if not extract_deb(deb, lambda member: tarball if member == f"usr/src/{tarball.name}" else None):
            raise UsageError(f"package {name!r} {version} has no usr/src/{tarball.name}: it is no kernel source")
        write_json(
            output / "manifest.json",
            {"package": name, "version": version, "suite": suite, "tarball_sha256": digest_file(tarball)},
        )

    directory = store.build(
        "sources", source_key(recipe), fetch, lambda pid: progress.note(f"process {pid} fetches it")
    )
    try:
        digest = str(json.loads((directory / "manifest.json").read_text())["tarball_sha256"])
    except (OSError, ValueError, KeyError) as error:
        raise HostError(f"{str(directory)!r} is damaged: {error}", hint="remove that directory") from error
    return SourcePackage(name, version, directory / f"{name}.tar.xz", digest)


def extract_source(source: SourcePackage, place: Workspace, excludes: Sequence[str], log: Path) -> None:
    """Unpack a kernel source into a directory.

    :param place: an empty workspace; gets ``Makefile``, ``Kconfig``, ...
    :param excludes: tar patterns of parts to leave out; ``*`` matches slashes, too
    """
    run_tool(
        [
            "tar",
            "--extract",
            f"--file={source.tarball}",
            "--use-compress-program=xz --threads=2",
            f"--directory={place.path}",
            "--strip-components=1",
            "--no-same-owner",
            "--wildcards",
            "--wildcards-match-slash",
            *(f"--exclude={source.name}/{pattern}" for pattern in excludes),
        ],
        cwd=place.outside,
        log=log,
        prefix=place.prefix,
    )
