"""What a machine needs to know of an image, and the check that the running kernel is that image's."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ktrace.errors import UsageError


class Bootable(Protocol):
    """An image, as far as a machine is concerned; ``key`` changes with any bit of it."""

    @property
    def name(self) -> str: ...
    @property
    def kernel(self) -> Path: ...
    @property
    def initramfs(self) -> Path: ...
    @property
    def vmlinux(self) -> Path: ...
    @property
    def memory_mib(self) -> int: ...
    @property
    def build_id(self) -> str: ...
    @property
    def key(self) -> str: ...


def check_build_id(running: bytes, image: str, build_id: str) -> None:
    """See that the kernel that runs is the one that the debug information describes.

    :param running: build-id note as read in the guest
    :param image: name for the message
    :param build_id: of ``vmlinux``, in hex digits
    :raises UsageError: it is another
    """
    if running.hex() != build_id.lower():
        raise UsageError(
            f"image {image!r} runs a kernel with build-id {running.hex() or 'unknown'}, but its vmlinux has {build_id}",
            "give kernel and vmlinux of one build: ktrace image import",
        )
