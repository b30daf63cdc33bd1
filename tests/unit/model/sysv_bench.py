"""A model with nothing but processes and System V, to try rules on."""

from __future__ import annotations

from typing import Any

from ktrace.agent.syscalls import make_call
from ktrace.model import build  # noqa: F401  (its import registers every rule)
from ktrace.model.ipc.subsystem import SysvIpc
from ktrace.model.kernel import Advice, Kernel
from ktrace.model.process.process import Processes
from ktrace.state.call import Completed, Exited, Outcome, Result
from ktrace.state.ipc.namespace import IdsFacts, IpcFacts
from ktrace.state.mm.address_space import MmFacts
from ktrace.state.ref import Ref
from ktrace.state.world import World

BOOT = IdsFacts(seq=0, idr_next=0, max_idx=-1, last_idx=-1, next_id=-1)
FACTS = IpcFacts(
    ipc_mni=32768,
    ipc_mni_shift=15,
    ipc_min_cycle=64,
    page_size=4096,
    datalen_msg=4048,
    datalen_seg=4088,
    sem_ids=BOOT,
    msg_ids=BOOT,
    shm_ids=BOOT,
    sem_ctls=(32000, 1024000000, 500, 32000),
    msg_ctlmax=8192,
    msg_ctlmnb=16384,
    msg_ctlmni=32000,
    shm_ctlmax=(1 << 64) - 1 - (1 << 24),
    shm_ctlall=(1 << 64) - 1 - (1 << 24),
    shm_ctlmni=4096,
    shm_rmid_forced=0,
    mm=MmFacts(
        birth=((0x400000, 0x41C000, 7), (0x7FFFF7FF9000, 0x7FFFF7FFF000, 1), (0x7FFFFFFDE000, 0x7FFFFFFFF000, 3)),
        mmap_base=0x7FFFF7FFF000,
        task_size=0x7FFFFFFFF000,
        mmap_min_addr=4096,
        totalram_pages=8192,
        overcommit_memory=0,
        special=(0x7FFFF7FF9000,),
    ),
)
IPC_CREAT, IPC_EXCL, IPC_NOWAIT = 0o1000, 0o2000, 0o4000
SEM_UNDO = 0x1000


def op(sem_num: int, sem_op: int, sem_flg: int = 0) -> dict[str, int]:
    """Return one ``struct sembuf``."""
    return {"sem_num": sem_num, "sem_op": sem_op, "sem_flg": sem_flg}


class Bench:
    """Run calls of root's actors A, B, C and D."""

    def __init__(self, facts: IpcFacts = FACTS) -> None:
        self.sysv = SysvIpc(facts)
        self.kernel = Kernel({"process": Processes(), "sysv": self.sysv})
        self.outcome = Outcome(())
        for name in "ABCD":
            self.spawn(name)

    def spawn(self, name: str, **credentials: Any) -> None:
        """Start an actor."""
        self.outcome = self.kernel.act(None, make_call("spawn", name, credentials))

    def kill(self, name: str, signal: int) -> None:
        """Send a signal from outside."""
        self.outcome = self.kernel.act(None, make_call("kill", name, signal))

    def sysctl(self, path: str, value: str) -> None:
        """Set a limit from outside."""
        self.outcome = self.kernel.act(None, make_call("sysctl", path, value))

    def call(self, actor: str, name: str, *args: Any, clock: tuple[int, int] = (100, 101)) -> Any:
        """Make a call; return its value, its errno's name, or ``"blocked"``."""
        self.outcome = self.kernel.act(actor, make_call(name, *args), Advice(clock=clock))
        if actor in self.outcome.blocked:
            return "blocked"
        result = self.results.get(actor)
        return None if result is None else result.errno or result.value

    @property
    def results(self) -> dict[str, Result]:
        """The results of the last step, by actor, in the order in which they came."""
        return {event.actor: event.result for event in self.outcome.events if isinstance(event, Completed)}

    @property
    def answers(self) -> dict[str, Any]:
        """The last step's values and errnos, by actor, in the order in which they came."""
        return {actor: result.errno or result.value for actor, result in self.results.items()}

    @property
    def ended(self) -> list[str]:
        """The actors that ended in the last step."""
        return [event.actor for event in self.outcome.events if isinstance(event, Exited)]

    @property
    def world(self) -> World:
        """The World as it is now, with raw references."""
        return self.kernel.world()

    def object(self, kind: str, key: str | int) -> Any:
        """Return one object of the World."""
        return self.world.objects[Ref(kind, key)]

    def sems(self, semid: int) -> list[int]:
        """Return the values of an array."""
        return [sem.semval for sem in self.object("sem", str(semid)).sems]
