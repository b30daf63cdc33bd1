"""How many files there may be in all (``fs/file_table.c``)."""

from __future__ import annotations

from ktrace.model.task import Errno, Task


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
        seen = kernel.advice.results.get(task.name)
        full = kernel.choose(
            "get_nr_files(): a per-CPU counter, which is not exact, and counts the files of others, too",
            seen.errno == "ENFILE" if seen is not None else None,
            lambda answer: isinstance(answer, bool),
            otherwise=False,
        )
    if full:
        raise Errno("ENFILE")
