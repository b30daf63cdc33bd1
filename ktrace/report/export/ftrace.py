"""The text of tracefs' ``trace`` file, as everything that reads ftrace takes it.

Calls, functions and counters are ``tracing_mark_write`` lines in the form of systrace (``B|pid|name``, ``E|pid``,
``C|pid|name|value``, ``I|pid|name``), which Perfetto and catapult turn into slices and curves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from ktrace.report.export.timeline import Begin, Counter, Finish, Mark

_HEADER = """\
# tracer: nop
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""
_GROUP = 1


def ftrace(marks: Iterable[Mark]) -> Iterator[str]:
    """Yield the text, line by line; an actor has the pid of its place among them."""
    yield _HEADER
    tasks: dict[str, str] = {}
    outside = _task("ktrace", _GROUP)
    for mark in marks:
        if isinstance(mark, Counter):
            yield _line(outside, mark.time, f"C|{_GROUP}|{_plain(mark.name)}|{mark.value}")
            continue
        task = tasks.get(mark.track)
        if task is None:
            task = tasks[mark.track] = _task(mark.track, len(tasks) + 100)
        if isinstance(mark, Finish):
            what = f"E|{_GROUP}"
        elif isinstance(mark, Begin):
            name = mark.name
            if mark.category == "call":
                name = f"{mark.details['call']} = {mark.details['answer']}"
            what = f"B|{_GROUP}|{_plain(name)}"
        else:
            what = f"I|{_GROUP}|{_plain(mark.name)}"
        yield _line(task, mark.time, what)


def _task(name: str, pid: int) -> str:
    comm = "".join(char if char.isalnum() or char in "_." else "_" for char in name)[:15]
    return f"{comm:>16}-{pid:<7} [000] ....."


def _line(task: str, time: int, what: str) -> str:
    seconds, micros = divmod(time // 1000, 1_000_000)
    return f"{task} {seconds:5}.{micros:06}: tracing_mark_write: {what}\n"


@lru_cache(10_000)
def _plain(text: str) -> str:
    """Return *text* without what ends a field, a line, or the trace: systrace's readers know it inside of HTML, too."""
    plain = "".join(" " if char == "|" or not char.isprintable() else char for char in text)
    return plain.replace("</script>", "<\\/script>")
