"""A lab as it was at one moment, of which any number of clones can be made."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ktrace.errors import UsageError
from ktrace.image.store import open_store
from ktrace.library.actor import Actor
from ktrace.library.result import Result
from ktrace.library.running import Moment

if TYPE_CHECKING:
    from ktrace.library.lab import Lab


@contextmanager
def private_directory() -> Iterator[Path]:
    """Yield a directory of the store's; what a killed process leaves there is removed by the next that needs one.

    :raises HostError: it cannot be made
    """
    store = open_store()
    _forget_dead(store.root / "locks")
    name = f"prepared-{os.getpid()}-{secrets.token_hex(4)}"
    with store.locked(name):
        try:
            with store.workplace(name) as directory:
                yield directory
        finally:
            (store.root / "locks" / f"{name}.lock").unlink(missing_ok=True)


def _forget_dead(locks: Path) -> None:
    """Remove what is left of locks whose process was killed: their names come once."""
    for path in locks.glob("prepared-*.lock"):
        if Path("/proc", path.name.split("-")[1]).exists():
            continue
        with suppress(OSError), path.open("rb") as lock:  # of another container, perhaps: held, where it lives
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)


class Prepared:
    """Begin labs where another one was; made by :meth:`Lab.prepare`.

    Its guest lies in a directory of its own, of a few MB, until :meth:`close` or the end of the ``with``.

    :param owned: removes that directory
    """

    def __init__(self, lab: Lab, moment: Moment, owned: ExitStack, value: Any) -> None:
        self._like = lab
        self._moment = moment
        self._owned = owned
        self._value = value
        self._open = True

    def clone(self, title: str = "", session: Path | None = None) -> Lab:
        """Return a lab that begins as this one was: ``with prepared.clone() as lab``.

        What was given to :meth:`Lab.prepare` is its :attr:`Lab.prepared`, with actors of its own. The session begins
        with the steps that were made before.

        :param title: what its session is called; *session*: where that is kept
        :raises UsageError: the directory is gone
        """
        if not self._open:
            raise UsageError("this prepared lab was closed", "make clones before its end")
        return self._like.another(self._moment, title, session, self._value)

    def close(self) -> None:
        """Remove its directory; harmless when done already."""
        self._open = False
        self._owned.close()

    def __enter__(self) -> Prepared:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def moved(value: Any, lab: Lab) -> Any:
    """Return *value* with actors and results of *lab* in the places of another lab's: in tuples, lists, dicts.

    :param lab: a clone of that, which has begun
    """
    if isinstance(value, Actor):
        return Actor(lab, value.name)
    if isinstance(value, Result):
        waiting = None if value.actor is None else lab.pending(value.actor.name)
        return waiting if waiting is not None and waiting.step == value.step else value.moved(lab)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple([moved(item, lab) for item in value])
    if isinstance(value, list):
        return [moved(item, lab) for item in value]
    if isinstance(value, dict):
        return {key: moved(item, lab) for key, item in value.items()}
    return value
