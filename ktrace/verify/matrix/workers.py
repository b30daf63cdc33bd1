"""Processes that fill cells side by side; one that dies takes the cell that it was at with it, and no other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType

from ktrace.errors import HostError
from ktrace.verify.matrix.cell import CellTask, CellVerdict
from ktrace.verify.matrix.one import Filler
from ktrace.verify.notify import Notify, silent
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.worker_process import start_worker

_PATIENCE = 1800.0
"""Seconds without a word from any process after which there is none to be waited for; guests have shorter deadlines."""


@dataclass
class _Worker:
    """One process.

    :ivar task: what it is at; :ivar image: whose guests it has
    """

    process: BaseProcess
    connection: Connection
    task: CellTask | None = None
    image: str = ""


class Workers:
    """Have *jobs* processes fill *tasks*, each staying with an image as long as there is something to do for it.

    :param guest: what guests are to be made of, but for the image
    :param session: what each session is to do, but for its directory
    """

    def __init__(self, guest: GuestOptions, session: SessionOptions, jobs: int, notify: Notify = silent) -> None:
        self._setup = (guest, session)
        self._jobs = jobs
        self._notify = notify
        self._workers: list[_Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.kill()  # its guests go with it
        for worker in self._workers:
            worker.process.join(_PATIENCE)
            worker.connection.close()

    def fill(self, tasks: Sequence[CellTask]) -> Iterator[tuple[CellTask, CellVerdict]]:
        """Yield every task with what became of it, in the order of their ends.

        :raises HostError: no process says a word any more
        """
        todo: dict[str, deque[CellTask]] = {}
        for task in tasks:
            todo.setdefault(task.cell.image, deque()).append(task)
        for _ in range(min(self._jobs, len(tasks))):
            self._workers.append(self._start())
        while True:
            for worker in self._workers:
                if worker.task is None and todo:
                    self._assign(worker, todo)
            busy = {worker.connection: worker for worker in self._workers if worker.task is not None}
            if not busy:
                return
            ready = wait(list(busy), _PATIENCE)
            if not ready:
                raise HostError(f"no word from any guest in {_PATIENCE:.0f} s", "is this machine overloaded?")
            for connection in ready:
                assert isinstance(connection, Connection)
                yield from self._hear(busy[connection])

    def _assign(self, worker: _Worker, todo: dict[str, deque[CellTask]]) -> None:
        """Give *worker* something to do: of its own image, else of one that the fewest others are at."""
        others = [other.image for other in self._workers if other.task is not None]
        image = worker.image if worker.image in todo else min(todo, key=others.count)
        worker.image, worker.task = image, todo[image].popleft()
        if not todo[image]:
            del todo[image]
        with suppress(OSError):  # it has died: its end is heard where all are
            worker.connection.send(worker.task)

    def _hear(self, worker: _Worker) -> Iterator[tuple[CellTask, CellVerdict]]:
        """Take what *worker* says; another takes its place where it has died."""
        task = worker.task
        assert task is not None
        try:
            said = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(_PATIENCE)
            cause = f"process {worker.process.pid} that ran it has died ({_end_of(worker.process)})"
            yield task, CellVerdict(task.cell.workload, task.cell.image, "host", cause)
            worker.connection.close()
            self._workers[self._workers.index(worker)] = self._start()
            return
        if isinstance(said, str):
            self._notify(said)
            return
        worker.task = None
        yield task, said

    def _start(self) -> _Worker:
        return _Worker(*start_worker(_run, *self._setup))


def _end_of(process: BaseProcess) -> str:
    code = process.exitcode
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _run(connection: Connection, guest: GuestOptions, session: SessionOptions) -> None:
    """Fill cells until there is nobody left to hear of them."""

    def notify(text: str) -> None:
        connection.send(text)

    filler = Filler(guest, session, notify)
    try:
        while True:
            connection.send(filler.fill(connection.recv()))
    except (EOFError, BrokenPipeError):
        return
