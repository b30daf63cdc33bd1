"""Tell of a kernel's file alone whether its structures can be read at all: no guest is needed for that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ktrace.errors import KernelLacks
from ktrace.image.bzimage import banner_version
from ktrace.inspect.build import build_inspector
from ktrace.inspect.fs.inode import InodeReader
from ktrace.inspect.fs.pipe.pipe import read_pipe_facts
from ktrace.inspect.fs.tree import TreeReader
from ktrace.inspect.ipc.subsystem import SysvReader
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import MissingMember, allow_unread
from ktrace.inspect.names_of_kernel import types_of
from ktrace.inspect.net.facts import read_facts as read_socket_facts
from ktrace.inspect.process.signal import SignalReader

_HINT = "it is too old, too new or configured otherwise: Linux 6.1, 6.12, 7.3 and what is like them are understood"


def require_readable(vmlinux: Path) -> None:
    """See that a kernel has every member without which nothing can be read of it.

    Its readers are set up over an empty memory: what that holds makes no sense, but what they lack is known by then.

    :param vmlinux: ELF file with DWARF
    :raises KernelLacks: it has not; the message names what is missing
    """
    missing = missing_members(vmlinux)
    if missing:
        banner = banner_version(vmlinux)
        what = f"Linux {banner[0]}" if banner is not None else repr(str(vmlinux))
        raise KernelLacks(f"{what} cannot be read: {'; '.join(missing)}", _HINT)


def missing_members(vmlinux: Path) -> list[str]:
    """Return what a kernel lacks that nothing can be read without: the first such member of every reader."""
    try:
        kernel = LiveKernel.switched_off(types_of(vmlinux))
    except MissingMember as error:
        return [_said(error)]
    allow_unread(kernel.prog)
    readers: list[Callable[[], object]] = [
        lambda: SysvReader(kernel),
        lambda: InodeReader(kernel),
        lambda: SignalReader(kernel),
        lambda: TreeReader(kernel, InodeReader(kernel)),
        lambda: read_pipe_facts(kernel),
        lambda: read_socket_facts(kernel),
        lambda: build_inspector(kernel),
    ]
    found: dict[str, None] = {}
    for make in readers:
        try:
            make()
        except MissingMember as error:
            found[_said(error)] = None
        except Exception:
            continue  # empty memory makes no sense to a reader that has all its members
    return list(found)


def _said(error: MissingMember) -> str:
    return error.message.removesuffix(" in this vmlinux")
