"""Imports: what is usable becomes an image, everything else is refused with the reason."""

import gzip
import lzma
import shutil
import subprocess
import zlib

import pytest

from ktrace.errors import HostError, UsageError
from ktrace.image.bzimage import bzimage_payload
from ktrace.image.elf import read_elf_facts
from ktrace.image.facts import image_state
from ktrace.image.foreign import KernelFiles, import_image, refresh_import
from ktrace.image.image import find_image
from ktrace.image.store import digest_file
from tests.unit.image.conftest import CONFIGURED


def bzimage(payload: bytes, setup_sects: int = 3) -> bytes:
    """Make a file with the header of a bzImage, by the letter of Documentation/x86/boot.rst."""
    setup = bytearray((setup_sects + 1) * 512)
    setup[0x1F1] = setup_sects
    setup[0x202:0x206] = b"HdrS"
    setup[0x248:0x24C] = (64).to_bytes(4, "little")
    setup[0x24C:0x250] = len(payload).to_bytes(4, "little")
    return bytes(setup) + bytes(64) + payload + b"tail"


def test_import(kernel, store, tmp_path):
    (tmp_path / "dot-config").write_text("CONFIG_SYSVIPC=y\n")
    image = import_image("mine", KernelFiles(kernel, config=tmp_path / "dot-config"), store=store)
    assert image.boots
    assert image.imported
    assert image.build_id == read_elf_facts(kernel).build_id
    assert image.vmlinux.read_bytes() == kernel.read_bytes()
    assert not read_elf_facts(image.kernel).has_dwarf
    assert image.config and image.config.read_text() == "CONFIG_SYSVIPC=y\n"
    assert image.initramfs.read_bytes().startswith(b"070701")
    for name, digest in image.manifest["outputs"].items():
        assert digest_file(image.directory / name) == digest
    assert find_image("mine", store=store) == image
    assert store.ref_names() == ["mine"]
    assert image_state(store, "mine")["state"] == "built"


def test_import_without_config(kernel, store):
    assert import_image("mine", KernelFiles(kernel), store=store).config is None


def test_second_import_of_a_name_replaces_the_first(kernel, link, store):
    first = import_image("mine", KernelFiles(kernel), store=store)
    other = link("other", "-g", "-O2", "-Wl,--build-id=sha1", source="int _start(void) { return 7; }")
    second = import_image("mine", KernelFiles(other), store=store)
    assert second.build_id != first.build_id
    assert find_image("mine", store=store) == second


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, lambda data: data])
def test_import_with_bzimage(kernel, link, store, tmp_path, pack):
    boot = tmp_path / "bzImage"
    boot.write_bytes(bzimage(pack(kernel.read_bytes())))
    image = import_image("mine", KernelFiles(kernel, boot=boot), store=store)
    assert image.manifest["boot_format"] == "bzImage"
    assert image.kernel.read_bytes() == boot.read_bytes()
    other = link("other", "-g", "-O2", "-Wl,--build-id=sha1", source="int _start(void) { return 7; }")
    boot.write_bytes(bzimage(pack(other.read_bytes())))
    with pytest.raises(UsageError, match=f"build-id {read_elf_facts(other).build_id}"):
        import_image("mine", KernelFiles(kernel, boot=boot), store=store)


def test_bzimage_of_unknown_compression_is_left_to_the_guest(kernel, store, tmp_path):
    boot = tmp_path / "bzImage"
    boot.write_bytes(bzimage(b"\x28\xb5\x2f\xfd" + bytes(100)))
    assert import_image("mine", KernelFiles(kernel, boot=boot), store=store).manifest["boot_format"] == "bzImage-unread"


def test_payload_of_an_old_setup_size():
    packed = zlib.compressobj(wbits=31)
    data = packed.compress(b"\x7fELF rest") + packed.flush()
    image = bytearray(bzimage(data, setup_sects=4))
    image[0x1F1] = 0  # boot.rst: "if the field contains 0, the real value is 4"
    assert bzimage_payload(bytes(image)) == b"\x7fELF rest"


def test_damaged_payload_is_not_read():
    assert bzimage_payload(bzimage(b"\x1f\x8b" + bytes(20))) is None


def test_boot_file_of_another_build(kernel, link, store):
    other = link("other", "-g", "-O2", "-Wl,--build-id=sha1", source="int _start(void) { return 7; }")
    with pytest.raises(UsageError, match=r"build-id \w+ of '.*other' is not"):
        import_image("mine", KernelFiles(kernel, boot=other), store=store)
    assert store.ref_names() == []


def test_boot_file_that_is_neither(kernel, store, tmp_path):
    (tmp_path / "junk").write_bytes(b"junk" * 300)
    with pytest.raises(UsageError, match="neither an ELF file nor a bzImage"):
        import_image("mine", KernelFiles(kernel, boot=tmp_path / "junk"), store=store)
    with pytest.raises(UsageError, match="No such file"):
        import_image("mine", KernelFiles(kernel, boot=tmp_path / "none"), store=store)


def test_no_pvh_entry_asks_for_a_boot_file(link, store):
    path = link("vmlinux", "-g", "-Wl,--build-id=sha1", pvh=False)
    with pytest.raises(UsageError, match="no PVH entry") as caught:
        import_image("mine", KernelFiles(path), store=store)
    assert "--boot" in (caught.value.hint or "")


def test_debug_file_asks_for_a_boot_file(kernel, store, tmp_path):
    debug = tmp_path / "vmlinux.debug"
    subprocess.run(["objcopy", "--only-keep-debug", kernel, debug], check=True)
    with pytest.raises(UsageError, match="only debug information"):
        import_image("mine", KernelFiles(debug), store=store)
    stripped = tmp_path / "stripped"
    subprocess.run(["objcopy", "--strip-all", kernel, stripped], check=True)
    assert import_image("mine", KernelFiles(debug, boot=stripped), store=store).boots


@pytest.mark.parametrize(
    ("without", "message", "option"),
    [
        ("void virtcons_probe(void) {}", "no virtio console built in", "CONFIG_VIRTIO_CONSOLE=y"),
        ("void vm_cmdline_set(void) {}", "no virtio transport built in", "CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES=y"),
        ("void populate_rootfs(void) {}", "no initramfs built in", "CONFIG_BLK_DEV_INITRD=y"),
        ("char vmcoreinfo_data[4096];", "no vmcoreinfo built in", "CONFIG_PROC_KCORE=y"),
        ("void ipc_init_ids(void) {}", "no System V IPC built in", "CONFIG_SYSVIPC=y"),
    ],
)
def test_kernel_without_what_the_agent_needs(link, store, without, message, option):
    assert without in CONFIGURED
    path = link("vmlinux", "-g", "-Wl,--build-id=sha1", configured=CONFIGURED.replace(without, ""))
    with pytest.raises(UsageError, match=message) as caught:
        import_image("mine", KernelFiles(path), store=store)
    assert option in (caught.value.hint or "")


def test_kernel_with_another_transport(link, store):
    configured = CONFIGURED.replace("vm_cmdline_set", "virtio_pci_probe")
    assert import_image(
        "mine", KernelFiles(link("vmlinux", "-g", "-Wl,--build-id=sha1", configured=configured)), store=store
    ).boots


def test_kernel_with_btf_only(kernel, store, tmp_path):
    (tmp_path / "btf").write_bytes(b"\x9f\xeb\x01\0")
    path = tmp_path / "btf-only"
    subprocess.run(["objcopy", "--strip-debug", "--add-section", f".BTF={tmp_path}/btf", kernel, path], check=True)
    with pytest.raises(UsageError, match=r"btf-only' has no DWARF debug information, only BTF(?:\n|$)") as caught:
        import_image("mine", KernelFiles(path), store=store)
    assert "CONFIG_DEBUG_INFO_DWARF5=y" in (caught.value.hint or "")


BANNER = 'const char linux_banner[] = "Linux version {release} (me@here) (gcc 12, GNU ld 2.40) {version}\\n";\n'


def with_version(image: bytes, release: str, version: str) -> bytes:
    """Have a bzImage's header say what it is (boot.rst: kernel_version)."""
    data = bytearray(image)
    data[0x20E:0x210] = (0x300).to_bytes(2, "little")
    text = f"{release} (me@here) {version}".encode() + b"\0"
    data[0x500 : 0x500 + len(text)] = text
    return bytes(data)


def test_bzimage_of_unknown_compression_is_told_by_its_banner(link, store, tmp_path):
    release, version = "6.1.0-57-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-11-26)"
    banner = BANNER.format(release=release, version=version)
    path = link("vmlinux", "-g", "-Wl,--build-id=sha1", configured=CONFIGURED + banner)
    boot = tmp_path / "vmlinuz"
    boot.write_bytes(with_version(bzimage(b"\x28\xb5\x2f\xfd" + bytes(100)), release, version))
    assert import_image("mine", KernelFiles(path, boot=boot), store=store).manifest["boot_format"] == "bzImage-unread"
    boot.write_bytes(with_version(bzimage(b"\x28\xb5\x2f\xfd"), release, version.replace("192-3", "192-2")))
    with pytest.raises(
        UsageError, match=r"vmlinuz' is '6\.1\.0-57.*192-2.*', but '.*vmlinux' is '6\.1\.0-57.*192-3"
    ) as caught:
        import_image("mine", KernelFiles(path, boot=boot), store=store)
    assert "one and the same build" in (caught.value.hint or "")


def test_stripped_vmlinux(kernel, store, tmp_path):
    stripped = tmp_path / "stripped"
    subprocess.run(["objcopy", "--strip-all", kernel, stripped], check=True)
    with pytest.raises(UsageError, match="stripped"):
        import_image("mine", KernelFiles(stripped), store=store)


def test_config_that_is_none(kernel, store):
    with pytest.raises(UsageError, match="as a configuration"):
        import_image("mine", KernelFiles(kernel, config=kernel), store=store)


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "-x", "x" * 64])
def test_bad_name(kernel, store, name):
    with pytest.raises(UsageError, match="bad image name"):
        import_image(name, KernelFiles(kernel), store=store)


def test_name_of_a_recipe(kernel, store):
    with pytest.raises(UsageError, match="is the name of a recipe"):
        import_image("lab-6.1", KernelFiles(kernel), store=store)


def test_unknown_image(store):
    with pytest.raises(UsageError, match="no image 'nope'"):
        find_image("nope", store=store)
    with pytest.raises(UsageError, match="no imported image 'nope'"):
        refresh_import("nope", store=store)


def test_image_that_is_not_built(store):
    with pytest.raises(HostError, match="not built") as caught:
        find_image("lab-6.1", store=store)
    assert caught.value.hint == "run: ktrace image build lab-6.1"


def test_image_whose_agent_changed_is_out_of_date(kernel, store):
    image = import_image("mine", KernelFiles(kernel), store=store)
    manifest = image.directory / "manifest.json"
    manifest.chmod(0o600)
    text = manifest.read_text()
    digest = image.manifest["initramfs"]["inputs"]["sources"]["init.c"]
    manifest.write_text(text.replace(digest, "0" * 64))
    with pytest.raises(HostError, match=r"out of date: guest/init\.c changed") as caught:
        find_image("mine", store=store)
    assert caught.value.hint == "run: ktrace image refresh mine"
    assert find_image("mine", store=store, check_inputs=False).build_id == image.build_id


def test_the_image_of_this_checkout_is_found_when_another_has_built_its_own(kernel, store):
    ours = import_image("mine", KernelFiles(kernel), store=store)
    theirs = store.entry("images", "0" * 64)
    shutil.copytree(ours.directory, theirs)
    manifest = theirs / "manifest.json"
    manifest.chmod(0o600)
    text, digest = manifest.read_text(), ours.manifest["initramfs"]["inputs"]["sources"]["init.c"]
    manifest.write_text(text.replace(digest, "1" * 64))
    store.write_ref("mine", {"image": theirs.name})
    assert find_image("mine", store=store) == find_image("mine", store=store, check_inputs=False) == ours
    assert image_state(store, "mine")["state"] == "built"
    manifest.write_text(text.replace(digest, "1" * 64).replace(ours.manifest["kernel"]["key"], "2" * 64))
    with pytest.raises(HostError, match="out of date"):
        find_image("mine", store=store)
    assert image_state(store, "mine")["state"] == "out of date"


def test_damaged_image_is_named(kernel, store):
    image = import_image("mine", KernelFiles(kernel), store=store)
    manifest = image.directory / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text('{"build_')
    with pytest.raises(HostError, match="damaged"):
        find_image("mine", store=store)
    manifest.unlink()
    with pytest.raises(HostError, match="damaged"):
        find_image("mine", store=store)
    assert image_state(store, "mine") == {"name": "mine", "state": "damaged"}


def test_image_without_its_kernel_is_named(kernel, store):
    image = import_image("mine", KernelFiles(kernel), store=store)
    image.kernel.unlink()
    with pytest.raises(HostError, match="lacks"):
        find_image("mine", store=store)


def test_refresh_finds_the_same_again(kernel, store):
    image = import_image("mine", KernelFiles(kernel), store=store)
    assert refresh_import("mine", store=store) == image
