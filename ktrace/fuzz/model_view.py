"""What generators see: the model's state, as a person would ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from ktrace.model.fs.file import File
from ktrace.model.kernel import Kernel
from ktrace.model.task import Task
from ktrace.state.call import Call

Action = tuple[str | None, Call]
"""Who does what; ``None`` is ktrace itself."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ModelView:
    """The model's kernel before a step. Everything comes in an order that only the steps so far determine.

    :param kernel: the model, after the steps so far
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.steps = 0
        self._born = 0

    @property
    def number(self) -> int:
        """The number of the step that comes."""
        return self.steps + 1

    def tasks(self) -> list[Task]:
        """Return the living tasks, oldest first."""
        return list(self.kernel.tasks.values())

    def free(self) -> list[Task]:
        """Return the tasks that may be given a call."""
        return [task for task in self.kernel.tasks.values() if task.running is None]

    def blocked(self) -> list[Task]:
        """Return the tasks inside a call."""
        return [task for task in self.kernel.tasks.values() if task.running is not None]

    def new_name(self) -> str:
        """Return a name that no actor ever had."""
        self._born += 1
        index = self._born - 1
        return _LETTERS[index] if index < len(_LETTERS) else f"P{index}"


def open_fds(task: Task) -> list[tuple[int, File]]:
    """Return what *task* has open, by descriptor."""
    return [(fd, task.files.slots[fd].file) for fd in sorted(task.files.slots)]


def free_fds(task: Task, candidates: Iterable[int]) -> list[int]:
    """Return those of *candidates* that *task* does not have open."""
    return [fd for fd in candidates if fd not in task.files.slots]
