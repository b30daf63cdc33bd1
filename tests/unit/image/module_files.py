"""Kernel modules as files, with the .modinfo that Debian 12's have."""

from __future__ import annotations

import gzip
import lzma
import subprocess
from collections.abc import Mapping
from pathlib import Path

RELEASE = "6.1.0-57-cloud-amd64"
#: What the modules of linux-image-6.1.0-57-cloud-amd64 6.1.192-3 say of themselves, as far as it matters.
VIRTIO = {
    "drivers/virtio/virtio_ring.ko": {"depends": ""},
    "drivers/virtio/virtio_pci_modern_dev.ko": {"depends": ""},
    "drivers/virtio/virtio_pci_legacy_dev.ko": {"depends": ""},
    "drivers/virtio/virtio.ko": {"depends": "virtio_ring"},
    "drivers/virtio/virtio_pci.ko": {
        "depends": "virtio_ring,virtio_pci_modern_dev,virtio_pci_legacy_dev,virtio",
        "alias": "pci:v00001AF4d*sv*sd*bc*sc*i*",
    },
    "drivers/char/virtio_console.ko": {"depends": "virtio,virtio_ring", "alias": "virtio:d00000003v*"},
    "drivers/char/hw_random/virtio-rng.ko": {"depends": "virtio", "alias": "virtio:d00000004v*"},
    "drivers/net/virtio_net.ko": {"depends": "virtio,virtio_ring", "alias": "virtio:d00000001v*"},
}


def make_module(path: Path, info: Mapping[str, str], release: str = RELEASE) -> bytes:
    """Write a module; its name's ending says whether it is compressed.

    :param info: keys and values of its .modinfo; several values of one key are separated by newlines
    """
    words = [(key, value) for key, values in info.items() for value in values.split("\n")]
    words.append(("vermagic", f"{release} SMP preempt mod_unload modversions "))
    lines = "".join(f'    .asciz "{key}={value}"\n' for key, value in words)
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.with_name(f"{path.name}.S")
    source.write_text(f'    .section .modinfo, "a"\n    .byte 0\n{lines}    .section .note.GNU-stack, "", @progbits\n')
    plain = path.with_name(f"{path.name}.o")
    subprocess.run(["gcc", "-c", "-o", plain, source], check=True)
    # What signs a module is put behind it.
    data = plain.read_bytes() + b"~Module signature appended~\n"
    plain.unlink()
    source.unlink()
    pack = {".xz": lzma.compress, ".gz": gzip.compress}.get(path.suffix, lambda data: data)
    path.write_bytes(pack(data))
    return data


def make_modules(top: Path, suffix: str = "", release: str = RELEASE) -> Path:
    """Write Debian 12's virtio modules below *top*."""
    for name, info in VIRTIO.items():
        make_module(top / "kernel" / f"{name}{suffix}", info, release)
    return top
