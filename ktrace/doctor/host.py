"""Look at this machine: programs, packages, memory, disk, accelerator, images."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from ktrace.doctor.check import Check, Verdict, missing, ok, warning
from ktrace.errors import KtraceError
from ktrace.image.archive import archive_for, configured_archives
from ktrace.image.image import Image, find_image
from ktrace.image.kernel import BUILD_ROOM
from ktrace.image.recipe import KernelRecipe, load_recipe, recipe_names
from ktrace.image.source import is_offered, package_version, source_key
from ktrace.image.store import free_bytes, open_store
from ktrace.image.toolchain import tool_version
from ktrace.image.workspace import available_memory
from ktrace.machine.accel import kvm_obstacle
from ktrace.machine.find_accel import find_accelerator

#: Programs, and the Debian package that has them.
PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "gcc": "gcc",
    "ld": "binutils",
    "make": "make",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
    "xz": "xz-utils",
    "setpriv": "util-linux",
}
#: The shell that ``ktrace console`` brings into a guest, and the Debian package that has it; nothing else needs it.
SHELL = ("busybox", "busybox-static")
#: Files that compilations need, and the Debian package that has them.
FILES = {
    "libelf headers": (("/usr/include/gelf.h",), "libelf-dev"),
    "static C library": (("/usr/lib/x86_64-linux-gnu/libc.a", "/usr/lib64/libc.a"), "libc6-dev"),
}
#: Bytes: a guest's RAM, its template and a few clones.
MEMORY_NEEDED = 512 << 20
SHM_NEEDED = 256 << 20


INSTALL = "as root: apt-get install "


def _install(package: str) -> str:
    return INSTALL + package


def missing_packages(checks: Iterable[Check]) -> tuple[str, ...]:
    """Return the Debian packages that would bring all that *checks* miss, each once."""
    remedies = [check.remedy or "" for check in checks if check.verdict is Verdict.MISSING]
    return tuple(dict.fromkeys(text.removeprefix(INSTALL) for text in remedies if text.startswith(INSTALL)))


def check_machine() -> list[Check]:
    """Check architecture and Python."""
    machine = platform.machine()
    checks = [
        ok("architecture", machine)
        if machine == "x86_64"
        else missing("architecture", machine, "ktrace needs an x86-64 host: its guests share memory with it")
    ]
    checks.append(ok("python", platform.python_version()))
    return checks


def check_programs() -> list[Check]:
    """Check every program that is called."""
    checks = []
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            checks.append(missing(program, "not installed", _install(package)))
            continue
        try:
            checks.append(ok(program, tool_version(program)))
        except KtraceError as error:
            checks.append(missing(program, error.message, _install(package)))
    return checks


def check_shell() -> Check:
    """Check whether there is a shell for guests."""
    program, package = SHELL
    if (found := shutil.which(program)) is None:
        return warning(program, "not installed", f"for ktrace console, {_install(package)}")
    return ok(program, found)


def check_files() -> list[Check]:
    """Check headers and libraries that compilations need."""
    checks = []
    for name, (paths, package) in FILES.items():
        found = next((path for path in paths if Path(path).is_file()), None)
        checks.append(ok(name, found) if found else missing(name, "not installed", _install(package)))
    return checks


def check_sources() -> list[Check]:
    """Check the kernel source of every recipe."""
    checks = []
    for name in recipe_names():
        try:
            recipe = load_recipe(name).kernel
            package = recipe.package
            if recipe.suite is not None:
                checks.append(check_fetched(name, recipe))
                continue
            version = package_version(package)
        except KtraceError as error:
            checks.append(missing(f"recipe {name}", error.message, error.hint or "mend it"))
            continue
        title = f"source of {name}"
        if version is None and not is_offered(package):
            elsewhere = f"apt-get update, or take the image from where it was built: ktrace image pack {name}"
            checks.append(
                warning(title, f"{package} is not installed, and apt knows no package of that name", elsewhere)
            )
        elif version is None:
            checks.append(missing(title, f"{package} is not installed", _install(package)))
        else:
            checks.append(ok(title, f"{package} {version}"))
    return checks


def check_fetched(name: str, recipe: KernelRecipe) -> Check:
    """Check a source that is fetched from a suite of Debian: no lab needs it before it is built."""
    title = f"source of {name}"
    wanted = f"{recipe.package} {recipe.version} of {recipe.suite}"
    store = open_store()
    if store.entry("sources", source_key(recipe)).is_dir():
        return ok(title, f"{wanted}, fetched")
    try:
        archive_for(str(recipe.suite), configured_archives())
    except KtraceError as error:
        return warning(title, f"{wanted} cannot be fetched: {error.message}", error.hint or f"build {name} elsewhere")
    return ok(title, f"{wanted}, fetched when it is built")


def check_room() -> list[Check]:
    """Check memory, shared memory and disk."""
    available = available_memory()
    text = f"{available / 2**20:.0f} MiB available"
    checks = [
        ok("memory", text)
        if available >= MEMORY_NEEDED
        else missing("memory", text, f"free {MEMORY_NEEDED >> 20} MiB: a guest and its clones need them")
    ]
    shm = Path("/dev/shm")
    if not shm.is_dir():
        checks.append(warning("/dev/shm", "not there", "mount a tmpfs on /dev/shm"))
    else:
        free = free_bytes(shm)
        text = f"{free / 2**20:.0f} MiB free"
        remedy = "remove files from it, or enlarge it: mount -o remount,size=1G /dev/shm"
        checks.append(ok("/dev/shm", text) if free >= SHM_NEEDED else warning("/dev/shm", text, remedy))
    try:
        store = open_store()
        free = free_bytes(store.root)
        text = f"{free / 1e9:.1f} GB free in {store.root}"
        remedy = f"a kernel build needs {BUILD_ROOM / 1e9:.1f} GB there; or set XDG_CACHE_HOME to a larger file system"
        if not os.access(store.root / "tmp", os.W_OK | os.X_OK):
            text, remedy = f"{store.root} cannot be written", "make it writable, or set XDG_CACHE_HOME elsewhere"
            checks.append(warning("image store", text, remedy))
        else:
            checks.append(ok("image store", text) if free >= BUILD_ROOM else warning("image store", text, remedy))
    except KtraceError as error:
        checks.append(missing("image store", error.message, error.hint or "make it writable"))
    return checks


def check_images() -> list[Check]:
    """Check whether the images of the recipes are built and up to date, and what accelerator runs them."""
    checks = []
    built = []
    for name in recipe_names():
        try:
            image = find_image(name)
        except KtraceError as error:
            checks.append(warning(f"image {name}", error.message, error.hint or f"run: ktrace image build {name}"))
        else:
            built.append(image)
            checks.append(ok(f"image {name}", f"built, build-id {image.build_id[:12]}"))
    return [*checks, check_accelerator(built[0]) if built else accelerator_unknown()]


def check_accelerator(image: Image) -> Check:
    """Find the accelerator by starting a guest with it; TCG works everywhere, it is only slower."""
    try:
        found = find_accelerator(image)
    except KtraceError as error:
        return missing("accelerator", error.message, error.hint or "see above")
    return ok("accelerator", f"{found.name}: {' '.join(found.reason.split())}")


def accelerator_unknown() -> Check:
    """Say what is known of the accelerator before there is an image to try it with."""
    obstacle = kvm_obstacle()
    text = f"tcg: {obstacle}" if obstacle else "kvm may work; it is tried once an image is built"
    return warning("accelerator", text, "run: ktrace image build")


def examine_host() -> list[Check]:
    """Look at everything, in the order in which one would mend it."""
    looks: list[Callable[[], list[Check]]] = [
        check_machine,
        check_programs,
        check_files,
        lambda: [check_shell()],
        check_sources,
        check_room,
        check_images,
    ]
    return [check for look in looks for check in look()]
