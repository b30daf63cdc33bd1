"""Read processes and their descriptor tables: ``task_struct``, ``cred``, ``files_struct``."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from drgn.helpers.linux.pid import find_task as drgn_find_task

from ktrace.errors import GuestGarbage
from ktrace.inspect.corrupt import CorruptStructure, explained
from ktrace.inspect.fs.file import FileReader
from ktrace.inspect.inspector import Observation, ProcessMembers
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.memory import Place
from ktrace.inspect.process.user import UserReader
from ktrace.inspect.remembered import Remembered
from ktrace.state.fs.file import Descriptor, DescriptorTable
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref

MAX_FDS = 1 << 20
"""No table is larger (``sysctl_nr_open``)."""


def find_task(kernel: LiveKernel, pid: int) -> int:
    """Return the address of the ``task_struct`` of *pid* in the initial pid namespace (``find_task_by_vpid()``).

    :raises GuestGarbage: no such process
    :raises KernelLacks: debug information lacks what leads to processes
    """
    with explained("the table of processes"):
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
        self.cred = layout_of(prog, "struct cred", "uid.val", "gid.val", "euid.val", "egid.val", "user")
        self.tables = TableReader(kernel, files)
        self.users = UserReader(kernel)
        self._pid = layout_of(prog, "struct task_struct", "pid")
        self._task = layout_of(prog, "struct task_struct", "cred", "files")
        self._remembered: Remembered[_KnownProcess] = Remembered()

    def observe(self, observation: Observation) -> None:
        """Add processes, descriptor tables, files with the objects behind them, and users."""
        memory, objects = observation.memory, observation.objects
        begun = [member.begin(observation) for member in self.members]
        settled = all(begun)
        for name, address in observation.tasks.items():
            known = self._remembered.find(memory, address) if settled else None
            if known is None or known.process.name != name or known.births != observation.births:
                known, places = self._read(observation, name, address)
                self._remembered.keep(address, known, places if settled else None)
            table = known.process.files
            # exit_files() comes before the files are closed, which may take a while.
            if table is not None and table not in objects:
                self.tables.observe(observation, table)
            self.users.observe(observation, known.user)
            objects[Ref("process", name)] = known.process

    def _read(self, observation: Observation, name: str, address: int) -> tuple[_KnownProcess, list[Place]]:
        """Read the ``task_struct`` at *address*, of which only parts are read: it has ten kilobytes."""
        memory = observation.memory
        pid, task = self._pid.place(memory, address), self._task.place(memory, address)
        raw = self._task.unpack_span(task[1], 0)
        places = [pid, task, self.cred.place(memory, raw.cred)]
        cred = self.cred.unpack_span(places[-1][1], 0)
        fields: dict[str, Any] = {}
        for member in self.members:
            more, depends = member.process_fields(observation, address)
            fields.update(more)
            places += depends
        process = Process(
            name=name,
            pid=self._pid.unpack_span(pid[1], 0).pid,
            files=Ref("fdtable", raw.files) if raw.files else None,
            uid=cred.uid_val,
            gid=cred.gid_val,
            euid=cred.euid_val,
            egid=cred.egid_val,
            **fields,
        )
        return _KnownProcess(process, cred.user, observation.births), places


class _KnownProcess(NamedTuple):
    """A process, the address of its ``user_struct``, and how many actors there had been."""

    process: Process
    user: int
    births: int


class _Known(NamedTuple):
    """A descriptor table, and references and addresses of the files in it."""

    table: DescriptorTable
    files: tuple[tuple[Ref, int], ...]


class TableReader:
    """Read descriptor tables."""

    def __init__(self, kernel: LiveKernel, files: FileReader) -> None:
        prog = kernel.prog
        self.files = files
        self.files_struct = layout_of(prog, "struct files_struct", "count.counter", "fdt")
        self.fdtable = layout_of(prog, "struct fdtable", "max_fds", "fd", "close_on_exec", "open_fds")
        self._remembered: Remembered[_Known] = Remembered()

    def observe(self, observation: Observation, table: Ref) -> None:
        """Add the ``files_struct`` at the address that *table* holds, and its files.

        :raises CorruptStructure: the table is impossibly large
        """
        known = self._remembered.find(observation.memory, table.key)
        if known is None:
            known = self._remembered.keep(table.key, *self._decode(observation, int(table.key)))
        objects = observation.objects
        for ref, file in known.files:
            if ref not in objects:
                self.files.observe(observation, file)
        objects[table] = known.table

    def _decode(self, observation: Observation, address: int) -> tuple[_Known, tuple[Place, ...]]:
        memory = observation.memory
        places: list[Place] = []

        def read(start: int, size: int) -> bytes:
            """Read what the table depends on; a small one lies in its files_struct, which is read once."""
            if places and address <= start and start + size <= address + len(places[0][1]):
                return places[0][1][start - address : start - address + size]
            places.append((start, memory.read(start, size)))
            return places[-1][1]

        head = self.files_struct.unpack(read(address, self.files_struct.size), 0)
        fdt = self.fdtable.unpack(read(head.fdt, self.fdtable.size), 0)
        if not 0 < fdt.max_fds <= MAX_FDS:
            raise CorruptStructure("fdtable.max_fds", head.fdt, f"{fdt.max_fds} descriptors")
        size = (fdt.max_fds + 63) // 64 * 8
        opened = read(fdt.open_fds, size)
        cloexec = read(fdt.close_on_exec, size)
        count = int.from_bytes(opened, "little").bit_length()
        pointers = struct.unpack(f"<{count}Q", read(fdt.fd, 8 * count)) if count else ()
        # Bit by bit out of bytes: to shift a long integer for each would take the square of the time.
        used = [(fd, pointer) for fd, pointer in enumerate(pointers) if opened[fd >> 3] >> (fd & 7) & 1]
        fds = {
            fd: Descriptor(
                file=Ref("file", pointer) if pointer else None, cloexec=bool(cloexec[fd >> 3] >> (fd & 7) & 1)
            )
            for fd, pointer in used
        }
        table = DescriptorTable(users=head.count_counter, fds=fds, max_fds=fdt.max_fds)
        files = tuple((Ref("file", pointer), pointer) for _, pointer in used if pointer)
        return _Known(table, files), tuple(places)
