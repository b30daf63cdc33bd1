"""Sleeping and waking, as ``kernel/sched/wait.c`` orders it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task

T = TypeVar("T")
Sleeps: TypeAlias = Generator[None, None, T]
"""What may sleep before it returns a ``T``: one ``yield`` is one ``schedule()``."""

MaySleep: TypeAlias = T | Sleeps[T]
"""What returns a ``T`` at once, or may sleep before it does."""


def drive(answer: MaySleep[T]) -> Sleeps[T]:
    """Return *answer*, after running it to its end if it may sleep."""
    if isinstance(answer, Generator):
        answer = yield from answer
    return answer


@dataclass(eq=False)
class WaitEntry:
    """Stand for one ``wait_queue_entry``.

    :param task: who sleeps, ``None`` for an entry with a callback of its own (epoll)
    :param exclusive: WQ_FLAG_EXCLUSIVE
    :param func: called instead of waking *task*; returns whether it woke someone
    """

    task: Task | None
    exclusive: bool = False
    func: Callable[[int], bool] | None = None
    autoremove: bool = True
    kind: str = "task"


class WaitQueue:
    """Mirror a ``wait_queue_head_t``: non-exclusive entries at the head, exclusive ones at the tail."""

    def __init__(self) -> None:
        self.entries: list[WaitEntry] = []

    def add(self, entry: WaitEntry) -> None:
        """Queue *entry* (``__add_wait_queue``, ``__add_wait_queue_entry_tail``)."""
        if entry.exclusive:
            self.entries.append(entry)
        else:
            self.entries.insert(0, entry)

    def remove(self, entry: WaitEntry) -> None:
        """Take *entry* off if it is still queued (``list_del_init``)."""
        if entry in self.entries:
            self.entries.remove(entry)


def waiters(queue: WaitQueue) -> tuple[Waiter, ...]:
    """Return the entries of *queue* in wake-up order."""
    return tuple(
        Waiter(
            process=Ref("process", entry.task.name) if entry.task is not None else None,
            exclusive=entry.exclusive,
            func=_func(entry),
        )
        for entry in queue.entries
    )


def _func(entry: WaitEntry) -> str:
    if entry.kind != "task":
        return entry.kind
    return "autoremove_wake_function" if entry.autoremove else "default_wake_function"


def wake_up(kernel: Kernel, queue: WaitQueue, nr_exclusive: int = 1, key: int = 0) -> None:
    """Wake the sleepers of *queue* until *nr_exclusive* exclusive ones woke (``__wake_up_common()``).

    :param nr_exclusive: 0 wakes all, as ``wake_up_all()`` does
    :param key: poll mask handed to callbacks, ``EPOLLIN | EPOLLRDNORM`` and the like; 0 for none
    """
    for entry in list(queue.entries):
        if entry.func is not None:
            woke = entry.func(key)
        else:
            assert entry.task is not None
            woke = kernel.wake_up_process(entry.task)
            if woke and entry.autoremove:
                # autoremove_wake_function()
                queue.remove(entry)
        if woke and entry.exclusive:
            nr_exclusive -= 1
            if nr_exclusive == 0:
                break


def wait_event(task: Task, queue: WaitQueue, condition: Callable[[], bool], exclusive: bool = False) -> Sleeps[bool]:
    """Sleep on *queue* until *condition* holds or a signal is pending (``___wait_event()``).

    :returns: whether a signal ended the wait (-ERESTARTSYS)
    """
    if condition():
        return False
    entry = WaitEntry(task, exclusive)
    while True:
        # prepare_to_wait_event(): a pending signal unqueues, but a true condition still wins.
        interrupted = task.signal_pending()
        if interrupted:
            queue.remove(entry)
        elif entry not in queue.entries:
            queue.add(entry)
        if condition():
            break
        if interrupted:
            return True
        yield
    queue.remove(entry)
    return False
