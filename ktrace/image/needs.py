"""What a kernel must have for a guest of ours, and how to tell that it has: built in, or as a module."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """Something that a guest cannot do without, or that it is given where the kernel has it.

    :param what: its name for people
    :param symbols: functions or variables; a kernel that has any one of them has it built in
    :param option: the option that brings it
    :param modalias: what the kernel would ask ``modprobe`` for, ``None`` for what cannot be a module
    :param required: whether a guest cannot do without
    """

    what: str
    symbols: tuple[str, ...]
    option: str
    modalias: str | None = None
    required: bool = True


NEEDS = (
    # The two of them are how the agent is heard. The aliases are those of the devices that QEMU gives:
    # virtio-serial-pci (subsystem 3 is VIRTIO_ID_CONSOLE), and the virtio device behind it.
    Need(
        "virtio transport",
        ("vm_cmdline_set", "virtio_pci_probe"),
        "CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES=y",
        "pci:v00001AF4d00001003sv00001AF4sd00000003bc07sc80i00",
    ),
    Need("virtio console", ("virtcons_probe",), "CONFIG_VIRTIO_CONSOLE=y", "virtio:d00000003v00001AF4"),
    Need("initramfs", ("populate_rootfs",), "CONFIG_BLK_DEV_INITRD=y"),
    Need("vmcoreinfo", ("vmcoreinfo_data",), "CONFIG_PROC_KCORE=y"),
    Need("System V IPC", ("ipc_init_ids", "sem_init_ns"), "CONFIG_SYSVIPC=y"),
    # Families of sockets: nobody in the guest loads one when a workload asks for it (net/socket.c: __sock_create()).
    Need("AF_UNIX sockets", ("unix_create",), "CONFIG_UNIX=y", "net-pf-1", required=False),
    Need("AF_INET6 sockets", ("inet6_create",), "CONFIG_IPV6=y", "net-pf-10", required=False),
    Need("packet sockets", ("packet_create",), "CONFIG_PACKET=y", "net-pf-17", required=False),
)
#: Every symbol that is asked for.
SYMBOLS = tuple(symbol for need in NEEDS for symbol in need.symbols)


def not_built_in(symbols: Collection[str]) -> list[Need]:
    """List what a kernel has not built in.

    :param symbols: those of :data:`SYMBOLS` that it has
    """
    return [need for need in NEEDS if not any(symbol in symbols for symbol in need.symbols)]
