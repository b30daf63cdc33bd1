"""Build the observed World of one moment: each reader in turn adds its objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ktrace.errors import KernelLacks, KtraceError
from ktrace.inspect.corrupt import NONSENSE, nonsense
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.members import allow_unread, unread_allowed
from ktrace.inspect.memory import Place
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread
from ktrace.state.world import World

_HINT = "this kernel is newer than ktrace, or configured otherwise"


class Observation:
    """Collect the objects of one moment.

    :param kernel: where to read
    :param tasks: kernel address of the ``task_struct`` of every living actor, by name
    :param names_by_pid: name of every actor that ever lived, by pid in the initial pid namespace
    :param births: tells one state of *names_by_pid* from all others that this inspector saw
    """

    def __init__(
        self, kernel: LiveKernel, tasks: Mapping[str, int], names_by_pid: Mapping[int, str], births: int = 0
    ) -> None:
        self.kernel = kernel
        self.memory = kernel.memory
        self.tasks = tasks
        self.names = {address: name for name, address in tasks.items()}
        self.names_by_pid = names_by_pid
        self.births = births
        self.objects: dict[Ref, Any] = {}

    def process(self, task: int) -> Any:
        """Name the actor whose ``task_struct`` is at *task*; ``None`` for NULL, a raw name for a stranger.

        What could not be read is returned as it is.
        """
        if isinstance(task, Unread):
            return task
        if not task:
            return None
        name = self.names.get(task)
        return Ref("process", name if name is not None else f"task@{task:#x}")


class Reader(Protocol):
    """Read one subsystem's objects into an observation."""

    def observe(self, observation: Observation) -> None:
        """Add every object of the subsystem that the actors can see."""


class ProcessMembers(Protocol):
    """Read what a subsystem keeps in a ``task_struct``."""

    def begin(self, observation: Observation) -> bool:
        """Prepare for a look; tell whether what is shown of a process depends on places and actors' names alone."""

    def process_fields(self, observation: Observation, task: int) -> tuple[Mapping[str, Any], Sequence[Place]]:
        """Return members of ``state.process.Process`` for the ``task_struct`` at *task*, and what they depend on."""


class FileTargets(Protocol):
    """Read what lies behind a ``struct file``."""

    f_ops: frozenset[str]
    """Symbols of the ``file_operations`` that are this reader's."""
    kind: str
    """Of the objects."""
    by_inode: bool
    """They go by the address of their inode, not by ``private_data``."""

    def file_target(self, observation: Observation, file: int, private_data: int, f_inode: int) -> Ref:
        """Add the object behind the file and return its reference (kind and kernel address)."""


class Inspector:
    """Observe a kernel again and again.

    :param readers: in the order in which they run; the reader of processes is first
    """

    def __init__(self, kernel: LiveKernel, readers: Sequence[Reader]) -> None:
        self.kernel = kernel
        self.readers = readers
        self.tasks: dict[str, int] = {}
        self.names_by_pid: dict[int, str] = {}
        self._births = 0

    def add_actor(self, name: str, pid: int, task: int) -> None:
        """Make the process *pid*, whose ``task_struct`` is at *task*, known as actor *name*."""
        self.tasks[name] = task
        self.names_by_pid[pid] = name
        self._births += 1

    def remove_actor(self, name: str) -> None:
        """Forget a dead actor's task; its pid keeps its name."""
        self.tasks.pop(name, None)

    def observe(self) -> World:
        """Return the World as the kernel's memory has it now, with raw references.

        :raises KernelLacks: a reader cannot do without a member that this kernel lacks
        :raises GuestGarbage: the kernel's memory makes no sense
        """
        observation = Observation(self.kernel, self.tasks, self.names_by_pid, self._births)
        reader: Reader | None = None
        try:  # one for all: to enter explained() for each takes as long as some of them
            for reader in self.readers:
                reader.observe(observation)
        except NONSENSE as error:
            raise self._because(type(reader).__name__, error) from error
        return World(observation.objects)

    def _because(self, reader: str, error: Exception) -> KtraceError:
        """Return what to say of *error*: of a kernel that lacks members, they are the likely cause."""
        unread = allow_unread(self.kernel.prog) if unread_allowed(self.kernel.prog) else {}
        if isinstance(error, (TypeError, AttributeError)) and unread:
            what = f"{reader} needs what is not in this kernel's debug information: {', '.join(unread)}"
            return KernelLacks(f"{what} ({type(error).__name__}: {error})", _HINT)
        return nonsense(reader, error)
