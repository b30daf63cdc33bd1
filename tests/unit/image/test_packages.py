"""Kernels of Debian: package files and an archive of the real tools, with a small ELF file as the kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.image.apt import Apt
from ktrace.image.foreign import refresh_import
from ktrace.image.image import Image, find_image
from ktrace.image.packages import import_debs, import_package, kernel_packages, known_suites, pinned_packages
from ktrace.image.store import Store
from tests.unit.image.conftest import CONFIGURED
from tests.unit.image.debian import build_deb, configure, publish
from tests.unit.image.module_files import RELEASE, make_modules
from tests.unit.image.test_foreign import BANNER, bzimage, with_version

VERSION = "6.1.192-3"
IMAGE = f"linux-image-{RELEASE}"
UNAME = f"#1 SMP PREEMPT_DYNAMIC Debian {VERSION} (2026-11-26)"
MODULAR = CONFIGURED.replace("void virtcons_probe(void) {}", "").replace("void vm_cmdline_set(void) {}", "")

Link = Callable[..., Path]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def vmlinux(link: Link, version: str = UNAME, **more: object) -> bytes:
    banner = BANNER.format(release=RELEASE, version=version)
    path = link("vmlinux", "-gdwarf-5", "-Wl,--build-id=sha1", **{"configured": MODULAR + banner, **more})
    return path.read_bytes()


def vmlinuz(version: str = UNAME) -> bytes:
    return with_version(bzimage(b"\x28\xb5\x2f\xfd" + bytes(100)), RELEASE, version)


def module_files(work: Path, prefix: str) -> dict[str, bytes]:
    top = make_modules(work / "modules", ".xz")
    return {
        f"{prefix}lib/modules/{RELEASE}/{path.relative_to(top)}": path.read_bytes() for path in top.rglob("*.ko.xz")
    }


def as_debian_12(work: Path, link: Link, version: str = VERSION) -> list[Path]:
    """Two packages: kernel and modules, debug symbols."""
    files = {f"boot/vmlinuz-{RELEASE}": vmlinuz(), f"boot/config-{RELEASE}": b"CONFIG_SYSVIPC=y\n"}
    debug = {f"usr/lib/debug/boot/vmlinux-{RELEASE}": vmlinux(link), "usr/lib/debug/lib/modules/x/y.ko": b"debug"}
    links = {f"usr/lib/debug/vmlinux-{RELEASE}": f"boot/vmlinux-{RELEASE}"}
    return [
        build_deb(work, IMAGE, version, {**files, **module_files(work, "")}),
        build_deb(work, f"{IMAGE}-dbg", version, debug, links=links),
    ]


def as_debian_13(work: Path, link: Link) -> list[Path]:
    """Five, as 7.3 has them: the one that is asked for only depends on the others."""
    place = f"usr/lib/modules/{RELEASE}"
    parts = [name.format(RELEASE) for name in ("linux-base-{}", "linux-binary-{}", "linux-modules-{}")]
    depends = ", ".join(["dracut | initramfs-tools (>= 0.1)", *(f"{name} (= {VERSION})" for name in parts)])
    debug = {f"usr/lib/debug/lib/modules/{RELEASE}/vmlinux": vmlinux(link)}
    return [
        build_deb(work, IMAGE, VERSION, {}, depends),
        build_deb(work, parts[0], VERSION, {f"{place}/config": b"CONFIG_SYSVIPC=y\n"}),
        build_deb(work, parts[1], VERSION, {f"{place}/vmlinuz": vmlinuz()}),
        build_deb(work, parts[2], VERSION, module_files(work, "usr/")),
        build_deb(work, f"{IMAGE}-dbg", VERSION, debug, f"{parts[0]} (= {VERSION})"),
    ]


def check(image: Image) -> None:
    assert image.manifest["boot_format"] == "elf-pvh"
    inputs = image.manifest["kernel"]["inputs"]
    assert (inputs["package"], inputs["package_version"]) == (IMAGE, VERSION)
    assert inputs["modules"][:4] == ["virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio"]
    assert image.config is not None
    assert image.config.read_text() == "CONFIG_SYSVIPC=y\n"
    data = image.initramfs.read_bytes()
    assert data.count(b"TRAILER!!!") == 2
    assert b"/modules/virtio_ring.ko\n" in data


@pytest.mark.parametrize("layout", [as_debian_12, as_debian_13])
def test_package_files_become_an_image(store: Store, work: Path, link: Link, layout: Callable[..., list[Path]]) -> None:
    debs = layout(work, link)
    check(import_debs("stock", debs[::-1], store=store))
    assert find_image("stock", store=store).imported
    check(refresh_import("stock", store=store))
    assert list((store.root / "tmp").iterdir()) == []


def test_a_kernel_without_its_debug_symbols(store: Store, work: Path, link: Link) -> None:
    with pytest.raises(UsageError, match=f"^no vmlinux with debug symbols in '{IMAGE}'(?:\n|$)") as caught:
        import_debs("stock", as_debian_12(work, link)[:1], store=store)
    assert "-dbg" in (caught.value.hint or "")


def test_debug_symbols_alone(store: Store, work: Path, link: Link) -> None:
    with pytest.raises(UsageError, match="no virtio transport, no virtio console built in"):
        import_debs("stock", as_debian_12(work, link)[1:], store=store)


def test_debug_symbols_alone_of_a_kernel_that_cannot_boot_itself(store: Store, work: Path, link: Link) -> None:
    debug = build_deb(work, "x-dbg", "1", {f"usr/lib/debug/boot/vmlinux-{RELEASE}": vmlinux(link, pvh=False)})
    with pytest.raises(UsageError, match=r"^no kernel to boot in 'x-dbg'(?:\n|$)"):
        import_debs("stock", [debug], store=store)


def test_debug_symbols_of_another_build(store: Store, work: Path, link: Link) -> None:
    kernel, _ = as_debian_12(work, link)
    other = vmlinux(link, UNAME.replace("192-3", "192-2"))
    debug = build_deb(work, f"{IMAGE}-dbg", "6.1.192-2", {f"usr/lib/debug/boot/vmlinux-{RELEASE}": other})
    with pytest.raises(
        UsageError, match=r"^the debug symbols are those of another build: '.*192-2.*', the kernel is '.*192-3"
    ):
        import_debs("stock", [kernel, debug], store=store)


def test_packages_of_two_kernels(store: Store, work: Path, link: Link) -> None:
    kernel, debug = as_debian_12(work, link)
    other = build_deb(work, "other", "1", {"boot/vmlinuz-6.2": vmlinuz()})
    with pytest.raises(UsageError, match=f"^packages of two kernels: '{RELEASE}' and '6.2'(?:\n|$)"):
        import_debs("stock", [kernel, other, debug], store=store)


def test_modules_of_another_kernel(store: Store, work: Path, link: Link) -> None:
    _, debug = as_debian_12(work, link)
    top = make_modules(work / "others", release="6.1.0-50-cloud-amd64")
    files = {f"lib/modules/x/{path.relative_to(top)}": path.read_bytes() for path in top.rglob("*.ko")}
    with pytest.raises(
        UsageError, match=r"^module 'virtio_ring' is for a kernel '6.1.0-50-cloud-amd64', the vmlinux is"
    ):
        import_debs("stock", [build_deb(work, "others", "1", files), debug], store=store)


def test_a_file_that_is_no_package(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_text("junk")
    with pytest.raises(UsageError, match=r"x.deb' is no Debian package: "):
        import_debs("stock", [tmp_path / "x.deb"], store=store)
    with pytest.raises(UsageError, match="is the name of a recipe"):
        import_debs("lab-6.1", [tmp_path / "x.deb"], store=store)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive with nothing in it yet; its suites are called as those of this project's recipes."""
    machine = tmp_path / "machine"
    machine.mkdir()
    monkeypatch.setenv("APT_CONFIG", str(configure(machine, tmp_path / "archive", "bookworm")))
    release = machine / "os-release"
    release.write_text('VERSION_CODENAME="bookworm"\n')
    monkeypatch.setattr("ktrace.image.archive.OS_RELEASE", release)
    for suite in ("bookworm", "trixie", "trixie-backports"):
        publish(tmp_path / "archive", suite, [])
    return tmp_path / "archive"


@pytest.mark.parametrize(("layout", "suite"), [(as_debian_12, "bookworm"), (as_debian_13, "trixie-backports")])
def test_a_package_is_fetched_with_all_that_belongs_to_it(
    archive: Path, store: Store, work: Path, link: Link, layout: Callable[..., list[Path]], suite: str
) -> None:
    publish(archive, suite, layout(work, link))
    check(import_package("stock", IMAGE, store=store))
    # Once more: it is there, and nothing is fetched.
    for deb in (archive / "pool").iterdir():
        deb.unlink()
    check(import_package("stock", f"{IMAGE}={VERSION}", store=store))


def test_a_name_without_version_leads_to_todays_kernel(archive: Path, store: Store, work: Path, link: Link) -> None:
    meta = build_deb(work, "linux-image-cloud-amd64", VERSION, {}, f"{IMAGE} (= {VERSION})")
    publish(archive, "bookworm", [*as_debian_12(work, link), meta])
    offers = kernel_packages(Apt(store, known_suites()), "linux-image-cloud-amd64", None)
    assert [offer.package for offer in offers] == ["linux-image-cloud-amd64", IMAGE, f"{IMAGE}-dbg"]
    assert known_suites() == ("bookworm", "trixie", "trixie-backports")


def test_a_package_without_debug_symbols(archive: Path, store: Store, work: Path, link: Link) -> None:
    kernel, _ = as_debian_12(work, link)
    publish(archive, "bookworm", [kernel])
    message = (
        f"^no debug symbols of '{IMAGE}' 6.1.192-3: there is no '{IMAGE}-dbg' of that version in bookworm, trixie, t"
    )
    with pytest.raises(UsageError, match=message):
        import_package("stock", IMAGE, store=store)
    older = build_deb(work, f"{IMAGE}-dbg", "6.1.190-1", {"x": b""})
    publish(archive, "bookworm", [kernel, older])
    Apt(store, known_suites()).update()
    with pytest.raises(UsageError, match=message):
        import_package("stock", IMAGE, store=store)


def test_a_package_that_is_not_there(archive: Path, store: Store, work: Path, link: Link) -> None:
    publish(archive, "bookworm", as_debian_12(work, link))
    with pytest.raises(UsageError, match=r"^no package 'linux-image-6.1.0-58-cloud-amd64' in trixie(?:\n|$)"):
        import_package("stock", "linux-image-6.1.0-58-cloud-amd64", suite="trixie", store=store)
    with pytest.raises(UsageError, match=r"^no package 'linux-image-6.1.0-58-cloud-amd64' in bookw") as caught:
        import_package("stock", "linux-image-6.1.0-58-cloud-amd64", store=store)
    assert caught.value.hint == f"there is: {IMAGE}"
    with pytest.raises(UsageError, match=f"^no version '6.1.192-9' of '{IMAGE}' in bookworm") as caught:
        import_package("stock", f"{IMAGE}=6.1.192-9", store=store)
    assert caught.value.hint == "there is: 6.1.192-3"
    with pytest.raises(UsageError, match=r"^no suite 'sarge' in the archive"):
        import_package("stock", IMAGE, suite="sarge", store=store)


@pytest.mark.parametrize(
    ("package", "suite", "message"),
    [
        ("linux image", None, "'linux image' is no package"),
        ("-o=x", None, "is no package"),
        ("linux-image=newest", None, "is no package"),
        ("linux-image-6.1", "a b", "'a b' is no name of a suite"),
    ],
)
def test_what_is_no_name(store: Store, package: str, suite: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        import_package("stock", package, suite=suite, store=store)


def test_pinned_packages_are_those_of_the_same_version() -> None:
    # linux-image-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1
    depends = (
        "dracut | initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool, "
        "linux-base-7.3.4+deb13-cloud-amd64 (= 7.3.4-1~bpo13+1), "
        "linux-binary-7.3.4+deb13-cloud-amd64 (= 7.3.4-1~bpo13+1)"
    )
    assert pinned_packages(depends, "7.3.4-1~bpo13+1") == [
        "linux-base-7.3.4+deb13-cloud-amd64",
        "linux-binary-7.3.4+deb13-cloud-amd64",
    ]
    assert pinned_packages(depends, "7.3.4-1") == []
