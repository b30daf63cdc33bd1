"""Have something done by a child of one's own: nothing that it does to our objects stays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ktrace.errors import REPORT, InternalError, UsageError

Work = Callable[[], Any]


def apart(work: Work) -> Any:
    """Return what *work* returns in a child, which must be JSON.

    :raises UsageError: as *work* raised it
    :raises InternalError: it raised something else, or its process was ended
    """
    return next(side_by_side([work], 1))


def side_by_side(works: Iterable[Work], jobs: int) -> Iterator[Any]:
    """Yield what each of *works* returns, in their order; *jobs* of them are done at a time.

    :raises UsageError: as one of *works* raised it
    :raises InternalError: one of them raised something else, or its process was ended
    """
    running: list[_Child] = []
    left = iter(works)
    try:
        while True:
            while len(running) < jobs and (work := next(left, None)) is not None:
                running.append(_Child(work))
            if not running:
                return
            yield running.pop(0).answer()
    finally:
        for child in running:
            child.end()


class _Child:
    """A process that does one thing, says what came of it, and ends."""

    def __init__(self, work: Work) -> None:
        ours, theirs = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            status = 1
            try:
                os.close(ours)
                with os.fdopen(theirs, "w") as stream:
                    json.dump(_said(work), stream)
                status = 0
            finally:
                os._exit(status)
        os.close(theirs)
        self._stream = os.fdopen(ours)

    def answer(self) -> Any:
        """Wait for what it says."""
        with self._stream as stream:
            text = stream.read()
        _, ended = os.waitpid(self._pid, 0)
        if ended:
            raise InternalError(f"what checks a changed step ended with {os.waitstatus_to_exitcode(ended)}", REPORT)
        said = json.loads(text)
        if "mistake" in said:
            raise UsageError(*said["mistake"])
        if "raised" in said:
            raise InternalError(said["raised"], REPORT)
        return said["answer"]

    def end(self) -> None:
        """End it: nobody waits for what it says."""
        self._stream.close()
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)


def _said(work: Work) -> dict[str, Any]:
    try:
        return {"answer": work()}
    except UsageError as error:
        return {"mistake": [error.message, error.hint]}
    except Exception as error:
        return {"raised": InternalError.of(error).message}
