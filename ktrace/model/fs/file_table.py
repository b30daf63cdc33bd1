"""How many files there may be in all (``fs/file_table.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

NR_FILES = Rule("fs/file_table.c", "get_nr_files", "a counter that is not exact, and counts the files of others")


def alloc_empty_file(task: Task) -> None:
    """Make sure that there may be one more file; root may have it in any case (``alloc_empty_file()``).

    :raises Errno: ENFILE
    """
    kernel = task.kernel
    limit = kernel.processes.file_max
    if limit is None or task.cred.capable("CAP_SYS_ADMIN"):
        return
    full = limit == 0
    if not full:

        def find(seen: Observed) -> bool | None:
            result = seen.result(task)
            return result.errno == "ENFILE" if result is not None else None

        full = kernel.choose(NR_FILES, find, lambda answer: True, otherwise=False)
    if full:
        raise Errno("ENFILE")


def get_unused_fd(task: Task) -> int:
    """Reserve a descriptor for a file that is about to be made (``get_unused_fd_flags()``, ``alloc_empty_file()``).

    :raises Errno: EMFILE, ENFILE
    """
    fd = task.files.reserve(task)
    try:
        alloc_empty_file(task)
    except Errno:
        del task.files.reserved[fd]
        raise
    return fd
