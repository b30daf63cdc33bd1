"""Several processes that make sequences at the same time; who asks gets them in order, as if there were one.

Python's own pools do not do this with less. ``multiprocessing.Pool`` waits for ever for what a killed worker was to
make. ``ProcessPoolExecutor`` says of a worker that could not begin that its pool is broken, and not why; and up to
Python 3.13 it has no way to kill those that are in the middle of a sequence, as the end of a run and Ctrl-C do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from types import TracebackType

from ktrace.errors import HostError
from ktrace.fuzz.planner import Planner
from ktrace.fuzz.pool import Pool
from ktrace.fuzz.trial import Trial, attempt
from ktrace.image.image import find_image
from ktrace.machine.template.template import Template
from ktrace.verify.lab import KernelCache
from ktrace.verify.worker_process import start_worker

_PATIENCE = 300.0
"""Seconds without a word from any worker after which there is none to be waited for."""


@dataclass(frozen=True)
class SequenceJob:
    """One sequence to make.

    :param number: of the sequence; *limit* of its steps
    :param deadline: on the monotonic clock, which all processes share
    """

    number: int
    limit: int
    deadline: float | None


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to know: the same for all sequences of a run."""

    families: tuple[str, ...]
    actors: int
    seed: int
    image: str
    template: Template


class Workers:
    """Have *jobs* processes make the sequences of a run, ahead of who asks for them.

    :param scratch: gets a directory for each worker; whoever made it removes it
    :param length: tells how long a sequence will most likely be asked for
    """

    def __init__(self, setup: WorkerSetup, jobs: int, scratch: Path, length: Callable[[int], int]) -> None:
        self._setup = setup
        self._length = length
        self._places = [scratch / f"worker-{number}" for number in range(jobs)]
        self._workers: dict[Connection, BaseProcess] = {}
        self._assigned: dict[Connection, SequenceJob] = {}
        self._finished: dict[int, tuple[SequenceJob, Trial]] = {}
        self._next = 0

    def __enter__(self) -> Workers:
        for place in self._places:
            place.mkdir()
            worker, connection = start_worker(_run_worker, self._setup, place)
            self._workers[connection] = worker
        # The time that a run is given begins when they are ready.
        self._assigned = dict.fromkeys(self._workers, SequenceJob(-1, 0, None))
        try:
            while self._assigned:
                self._collect()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._finished.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for connection, worker in self._workers.items():
            connection.close()
            # Its guests go with it; what it is in the middle of is not wanted any more.
            worker.kill()
            worker.join(_PATIENCE)

    def holds(self, number: int) -> bool:
        """Tell whether sequence *number* was made or begun."""
        return number in self._finished or any(job.number == number for job in self._assigned.values())

    def get(self, job: SequenceJob) -> Trial:
        """Return the sequence that *job* asks for.

        :raises HostError: the workers died, or one says so
        """
        while True:
            if job.number in self._finished:
                made, trial = self._finished.pop(job.number)
                if made.limit == job.limit:
                    return trial
            if not self.holds(job.number):
                self._assign(job)
            self._plan_ahead(job)
            self._collect()

    def _plan_ahead(self, job: SequenceJob) -> None:
        """Give whoever has nothing to do what will be asked for next, while there is time."""
        self._next = max(self._next, job.number + 1)
        if job.deadline is not None and monotonic() >= job.deadline:
            return
        while len(self._assigned) < len(self._workers) and len(self._finished) < 2 * len(self._workers):
            self._assign(SequenceJob(self._next, self._length(self._next), job.deadline))
            self._next += 1

    def _assign(self, job: SequenceJob) -> None:
        while len(self._assigned) == len(self._workers):
            self._collect()
        free = next(connection for connection in self._workers if connection not in self._assigned)
        free.send(job)
        self._assigned[free] = job

    def _collect(self) -> None:
        ready = wait(list(self._assigned), _PATIENCE)
        if not ready:
            raise HostError("no word from the processes that fuzz", "is this machine overloaded? try --jobs 1")
        for connection in ready:
            assert isinstance(connection, Connection)
            job = self._assigned.pop(connection)
            try:
                answer = connection.recv()
            except EOFError:
                raise HostError("a process that fuzzed has died", "try --jobs 1") from None
            if isinstance(answer, BaseException):
                raise answer
            self._finished[job.number] = (job, answer)


def _run_worker(connection: Connection, setup: WorkerSetup, place: Path) -> None:
    """Make sequences until there is nobody left to hear of them."""
    kernels = KernelCache()
    try:
        image = find_image(setup.image)
        with Pool(setup.template, place) as pool:
            connection.send(Trial())
            while True:
                job: SequenceJob = connection.recv()
                planner = Planner(setup.families, setup.actors, f"{setup.seed}/{job.number}")
                trial = attempt(pool, image, kernels, planner, job.limit, job.deadline, keep=True)
                connection.send(trial)
    except EOFError:
        return
    except BaseException as error:
        connection.send(error)
