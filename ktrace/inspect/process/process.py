"""Read processes and their descriptor tables: ``task_struct``, ``cred``, ``files_struct``."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from drgn.helpers.linux.pid import find_task as drgn_find_task

from ktrace.errors import GuestGarbage
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.inspector import Observation, ProcessMembers
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.memory import KernelMemory
from ktrace.state.fs.file import Descriptor, DescriptorTable
from ktrace.state.process.process import Process, User
from ktrace.state.ref import Ref

MAX_FDS = 1 << 20
"""No table is larger (``sysctl_nr_open``)."""


def find_task(kernel: LiveKernel, pid: int) -> int:
    """Return the address of the ``task_struct`` of *pid* in the initial pid namespace (``find_task_by_vpid()``).

    :raises GuestGarbage: no such process
    """
    task: int = drgn_find_task(kernel.prog, pid).value_()
    if not task:
        raise GuestGarbage(f"the kernel knows no process {pid}", "did it exit already?")
    return task


class ProcessReader:
    """Read the actors' processes, and through them every file that they have open.

    :param files: reads what their descriptors open
    :param members: what subsystems keep in a ``task_struct``
    """

    def __init__(self, kernel: LiveKernel, files: FileReader, members: Sequence[ProcessMembers] = ()) -> None:
        prog = kernel.prog
        self.files = files
        self.members = tuple(members)
        self.cred = Layout(prog, "struct cred", "uid.val", "gid.val", "euid.val", "egid.val", "user")
        self.tables = TableReader(kernel, files)
        self.users = UserReader(kernel)
        self._task = _Span(prog)

    def observe(self, observation: Observation) -> None:
        """Add processes, descriptor tables, files, what is behind them, and users."""
        memory = observation.memory
        objects = observation.objects
        for name, address in observation.tasks.items():
            pid, cred_address, files = self._task.read(memory, address)
            cred = self.cred.read(memory, cred_address)
            # exit_files() comes before the files are closed, which may take a while.
            table = Ref("fdtable", files) if files else None
            if table is not None and table not in objects:
                self.tables.observe(observation, table)
            self.users.observe(observation, cred.user)
            fields: dict[str, Any] = {}
            for member in self.members:
                fields.update(member.process_fields(observation, address))
            objects[Ref("process", name)] = Process(
                name, pid, table, cred.uid_val, cred.gid_val, cred.euid_val, cred.egid_val, **fields
            )


class _Span:
    """Read only the part of a ``task_struct`` that holds pid, cred and files: the whole has ten kilobytes."""

    def __init__(self, prog: Any) -> None:
        offsets = Layout(prog, "struct task_struct", "pid", "cred", "files").offsets
        self._start = min(offsets.values())
        self._size = max(offsets.values()) + 8 - self._start
        self._pid, self._cred, self._files = (offsets[name] - self._start for name in ("pid", "cred", "files"))

    def read(self, memory: KernelMemory, address: int) -> tuple[int, int, int]:
        data = memory.read(address + self._start, self._size)
        pid: int = _INT.unpack_from(data, self._pid)[0]
        cred: int = _POINTER.unpack_from(data, self._cred)[0]
        files: int = _POINTER.unpack_from(data, self._files)[0]
        return pid, cred, files


_INT = struct.Struct("<i")
_POINTER = struct.Struct("<Q")


class TableReader:
    """Read descriptor tables."""

    def __init__(self, kernel: LiveKernel, files: FileReader) -> None:
        prog = kernel.prog
        self.files = files
        self.files_struct = Layout(prog, "struct files_struct", "count.counter", "fdt")
        self.fdtable = Layout(prog, "struct fdtable", "max_fds", "fd", "close_on_exec", "open_fds")
        self._known: dict[int, tuple[tuple[bytes, ...], tuple[int, ...], DescriptorTable]] = {}

    def observe(self, observation: Observation, table: Ref) -> None:
        """Add the ``files_struct`` at the address that *table* holds, and its files.

        :raises CorruptStructure: the table is impossibly large
        """
        memory = observation.memory
        address = int(table.key)
        head = self.files_struct.read(memory, address)
        fdt = self.fdtable.read(memory, head.fdt)
        if not 0 < fdt.max_fds <= MAX_FDS:
            raise CorruptStructure("fdtable.max_fds", head.fdt, f"{fdt.max_fds} descriptors")
        size = (fdt.max_fds + 63) // 64 * 8
        opened = memory.read(fdt.open_fds, size)
        closing = memory.read(fdt.close_on_exec, size)
        count = int.from_bytes(opened, "little").bit_length()
        data = (opened, closing, memory.read(fdt.fd, 8 * count) if count else b"", bytes([head.count_counter & 0xFF]))
        files = self.files
        known = self._known.get(address)
        if known is not None and known[0] == data and known[2].max_fds == fdt.max_fds:
            for file in known[1]:
                files.observe(observation, file)
            observation.objects[table] = known[2]
            return
        fds: dict[int, Descriptor] = {}
        pointers = struct.unpack(f"<{count}Q", data[2])
        bits, cloexec = int.from_bytes(opened, "little"), int.from_bytes(closing, "little")
        for fd, pointer in enumerate(pointers):
            if bits >> fd & 1:
                ref = files.observe(observation, pointer) if pointer else None
                fds[fd] = Descriptor(ref, bool(cloexec >> fd & 1))
        decoded = DescriptorTable(head.count_counter, fds, fdt.max_fds)
        self._known[address] = (
            data,
            tuple(pointer for fd, pointer in enumerate(pointers) if pointer and bits >> fd & 1),
            decoded,
        )
        observation.objects[table] = decoded


class UserReader:
    """Read what a user's processes have taken together."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.user = Layout(kernel.prog, "struct user_struct", "uid.val", "pipe_bufs.counter")

    def observe(self, observation: Observation, address: int) -> Ref:
        """Add the ``user_struct`` at *address* and return its reference, whose key is the uid."""
        # Whose it is cannot be remembered by the address: it is another's once that one has gone.
        user = self.user.read(observation.memory, address)
        ref = Ref("user", str(user.uid_val))
        if ref not in observation.objects:
            observation.objects[ref] = User(user.pipe_bufs_counter)
        return ref
