"""Kernels as Debian ships them: the packages of one kernel, unpacked to the files that an import takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.image.apt import Apt, Offer
from ktrace.image.archive import configured_archives
from ktrace.image.build import read_manifest
from ktrace.image.bzimage import banner_version, bzimage_version
from ktrace.image.deb import deb_fields, extract_deb
from ktrace.image.elf import read_elf_facts
from ktrace.image.foreign import Check, KernelFiles, import_image, refresh_import, require_import_name, unchecked
from ktrace.image.image import Image
from ktrace.image.kernel import require_room
from ktrace.image.progress import Progress, Silent
from ktrace.image.recipe import PACKAGE, SUITE, VERSION, readable_recipes
from ktrace.image.store import Store, host_errors, open_store

#: Bytes of disk: packages, what is taken out of them, and the copy in the store.
PACKAGES_ROOM = 2_000_000_000
_RELEASE = r"(?P<release>[0-9][^/]*)"
_BOOT = re.compile(rf"boot/vmlinuz-{_RELEASE}|(?:usr/)?lib/modules/{_RELEASE.replace('release', 'release2')}/vmlinuz")
_CONFIG = re.compile(r"boot/config-[^/]+|(?:usr/)?lib/modules/[^/]+/config")
_VMLINUX = re.compile(r"usr/lib/debug/(?:boot/|lib/modules/[^/]+/)?vmlinux(?:-[^/]+)?")
_MODULE = re.compile(r"(?:usr/)?lib/modules/[^/]+/(?P<rest>.+\.ko(?:\.xz|\.gz|\.zst)?|modules\.[a-z.]+)")
_PINNED = re.compile(r"(?P<package>[a-z0-9][a-z0-9.+-]+)(?::any)? \(= (?P<version>[^)]+)\)")
_DEBUG = "-dbg"


@dataclass
class Unpacked:
    """What was found in packages so far."""

    place: Path
    release: str = ""
    boot: Path | None = None
    config: Path | None = None
    vmlinux: Path | None = None
    modules: Path | None = None
    packages: list[tuple[str, str]] = field(default_factory=list)

    def choose(self, name: str) -> Path | None:
        """Say where a member of a package goes, ``None`` for what nobody here needs."""
        if ".." in name.split("/"):
            raise UsageError(f"a package that names {name!r} is no kernel's")
        if match := _BOOT.fullmatch(name):
            release = match["release"] or match["release2"]
            if self.release not in ("", release):
                raise UsageError(
                    f"packages of two kernels: {self.release!r} and {release!r}", hint="give those of one kernel"
                )
            self.release = release
            self.boot = self.place / "vmlinuz"
            return self.boot
        if _CONFIG.fullmatch(name):
            self.config = self.place / "config"
            return self.config
        if _VMLINUX.fullmatch(name):
            self.vmlinux = self.place / "vmlinux"
            return self.vmlinux
        if match := _MODULE.fullmatch(name):
            self.modules = self.place / "modules"
            target = self.modules / match["rest"]
            target.parent.mkdir(parents=True, exist_ok=True)
            return target
        return None


def unpack_debs(debs: Sequence[Path], place: Path) -> KernelFiles:
    """Unpack a kernel, its modules and its debug symbols from package files.

    :param debs: the files, in any order
    :param place: an empty directory to unpack in
    :raises UsageError: if they are no packages, or not those of one kernel with its debug symbols
    """
    found = Unpacked(place)
    for deb in debs:
        fields = deb_fields(deb)
        found.packages.append((fields["Package"], fields.get("Version", "")))
        # What follows the vmlinux there is debug symbols of modules, most of the package.
        enough = (lambda: found.vmlinux is not None) if fields["Package"].endswith(_DEBUG) else None
        extract_deb(deb, found.choose, enough)
    names = ", ".join(repr(package) for package, _ in found.packages)
    if found.vmlinux is None:
        raise UsageError(
            f"no vmlinux with debug symbols in {names}",
            hint=f"give the package with debug symbols, too: Debian's is the kernel's name with {_DEBUG} behind",
        )
    facts = read_elf_facts(found.vmlinux)
    if found.boot is None and not facts.boots:
        raise UsageError(f"no kernel to boot in {names}", hint="give the package with the kernel, too")
    _require_one_build(found)
    kernels = [pair for pair in found.packages if not pair[0].endswith(_DEBUG)] or found.packages
    named = next((pair for pair in kernels if pair[0].startswith("linux-image-")), kernels[0])
    return KernelFiles(
        vmlinux=found.vmlinux,
        # Booted through its PVH entry it need not unpack itself, which takes seconds under TCG.
        boot=None if facts.boots else found.boot,
        config=found.config,
        modules=found.modules,
        origin={"package": named[0], "package_version": named[1]},
    )


def _require_one_build(found: Unpacked) -> None:
    """Compare what kernel and debug symbols say of themselves: release, and version with its date."""
    if found.boot is None or found.vmlinux is None:
        return
    boot, banner = bzimage_version(found.boot.read_bytes()), banner_version(found.vmlinux)
    if boot is not None and banner is not None and boot != banner:
        raise UsageError(
            f"the debug symbols are those of another build: {' '.join(banner)!r}, the kernel is {' '.join(boot)!r}",
            hint="give packages of one version",
        )


def pinned_packages(depends: str, version: str) -> list[str]:
    """List the packages that a ``Depends`` field wants in exactly this version: parts of the same kernel."""
    return [match["package"] for match in _PINNED.finditer(depends) if match["version"] == version]


def kernel_packages(apt: Apt, package: str, version: str | None) -> list[Offer]:
    """List the packages that make up a kernel with its debug symbols.

    Debian's 6.1 and 6.12 have two, kernel with modules and debug symbols; the kernel's of 7.3 depends on three others
    of the same version. A name without a version, such as ``linux-image-cloud-amd64``, depends on today's kernel.

    :param package: name of the kernel's package
    :param version: the version wanted; default the newest
    :returns: the one named first
    :raises UsageError: if a suite has not got one of them
    """
    first = apt.find(package, version)
    family = _closure(apt, first)
    for offer in family:
        name = offer.package.removesuffix("-unsigned") + _DEBUG
        if any(other.version == offer.version for other in apt.offers(name)):
            debug = _closure(apt, apt.find(name, offer.version))
            return list(dict.fromkeys([*family, *debug]))
    raise UsageError(
        f"no debug symbols of {package!r} {first.version}: there is no {package + _DEBUG!r} of that version in "
        f"{', '.join(apt.suites)}",
        hint="take another version or suite: without them nothing can be read of the kernel",
    )


def _closure(apt: Apt, first: Offer) -> list[Offer]:
    found, todo = {first.package: first}, [first]
    while todo:
        offer = todo.pop(0)
        for name in pinned_packages(apt.dependencies(offer), offer.version):
            if name not in found:
                found[name] = apt.find(name, offer.version)
                todo.append(found[name])
    return list(found.values())


def known_suites() -> tuple[str, ...]:
    """List the suites that this machine takes from Debian, and those that recipes name.

    :raises HostError: if this machine takes nothing from Debian
    """
    configured = [suite for archive in configured_archives() for suite in archive.suites]
    named = [recipe.kernel.suite for recipe in readable_recipes()]
    return tuple(dict.fromkeys([*configured, *(suite for suite in named if suite is not None)]))


def import_debs(
    name: str,
    debs: Sequence[Path],
    *,
    store: Store | None = None,
    progress: Progress | None = None,
    check: Check = unchecked,
) -> Image:
    """Make an image of a kernel's package files.

    :param name: name to give it, see :func:`ktrace.image.foreign.import_image`
    :param debs: kernel, modules and debug symbols, in any order
    :param check: refuses a vmlinux that is whole, but cannot be read
    :raises UsageError: for a bad name, or packages that cannot be used
    """
    require_import_name(name)
    store = store or open_store()
    progress = progress or Silent()
    with _workplace(store, name, progress) as place:
        progress.stage("unpacking packages")
        return import_image(name, unpack_debs(debs, place), store=store, progress=progress, check=check)


def import_package(
    name: str,
    package: str,
    *,
    suite: str | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
    check: Check = unchecked,
) -> Image:
    """Make an image of a kernel that Debian ships: fetch it with its modules and its debug symbols.

    :param package: ``linux-image-...``, or ``PACKAGE=VERSION``; default the newest version
    :param suite: where to look; default every suite that this machine or a recipe names
    :param check: refuses a vmlinux that is whole, but cannot be read
    :raises UsageError: for a bad name, a package, version or suite that is not there, or a kernel that cannot be used
    :raises HostError: if the archive cannot be reached
    """
    require_import_name(name)
    store = store or open_store()
    progress = progress or Silent()
    wanted, _, version = package.partition("=")
    if not PACKAGE.fullmatch(wanted) or (version and not VERSION.fullmatch(version)):
        raise UsageError(f"{package!r} is no package", hint="write PACKAGE or PACKAGE=VERSION")
    if suite is not None and not SUITE.fullmatch(suite):
        raise UsageError(f"{suite!r} is no name of a suite")
    with store.in_use():
        return _fetch_and_import(name, wanted, version or None, suite, store, progress, check)


def _fetch_and_import(
    name: str, package: str, version: str | None, suite: str | None, store: Store, progress: Progress, check: Check
) -> Image:
    progress.stage(f"looking for {package}")
    apt = Apt(store, known_suites() if suite is None else (suite,))
    offers = kernel_packages(apt, package, version)
    origin = {"package": offers[0].package, "package_version": offers[0].version}
    if _imported(store, name, origin):
        return refresh_import(name, store=store, progress=progress)
    with _workplace(store, name, progress) as place:
        (place / "debs").mkdir()
        debs = []
        for offer in offers:
            progress.stage(f"fetching {offer.package} {offer.version} from {offer.suite}")
            debs.append(apt.download(offer, place / "debs"))
        progress.stage("unpacking packages")
        (place / "files").mkdir()
        files = replace(unpack_debs(debs, place / "files"), origin=origin)
        return import_image(name, files, store=store, progress=progress, check=check)


def _imported(store: Store, name: str, origin: dict[str, str]) -> bool:
    """Tell whether that name stands for that package already."""
    kernel = store.entry("kernels", str((store.read_ref(name) or {}).get("kernel")))
    try:
        inputs = read_manifest(kernel)["inputs"]
    except (OSError, ValueError, KeyError):
        return False
    return all(inputs.get(key) == value for key, value in origin.items())


@contextmanager
def _workplace(store: Store, name: str, progress: Progress) -> Iterator[Path]:
    """Make a directory for packages and what is in them: a gigabyte or two, for as long as the import takes."""
    lock = f"import-{name}"
    with (
        store.locked(lock, lambda pid: progress.note(f"process {pid} is importing {name!r}: waiting for it")),
        store.workplace(lock) as place,
        host_errors("unpack in", place),
    ):
        require_room(place, PACKAGES_ROOM)
        yield place
