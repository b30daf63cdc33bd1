"""What a guest is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GuestSpec:
    """What a guest is made of; a clone has what its template has.

    :param image: name of the image that it runs
    :param build_id: of its kernel, in hex digits
    :param board: name of its machine type (see ``BOARDS`` of ``ktrace.machine.qemu``)
    :param accel: name of the accelerator that runs its CPU
    :param memory_mib: RAM in MiB
    """

    image: str
    build_id: str
    board: str
    accel: str
    memory_mib: int

    @property
    def memory_bytes(self) -> int:
        """RAM in bytes."""
        return self.memory_mib << 20
