"""Errors that say whose fault it is; each carries the exit code of the command line.

0 all agreed; 1 a divergence, and nothing else; 2 the person's input; 3 this machine; 4 the guest; 5 ktrace itself;
6 what was measured, or built again, is not as it should be. ``ktrace diff`` alone has 1 as diff(1) has it.
"""

from __future__ import annotations

import os
from typing import Any

FELL_SHORT = 6
"""The exit code where no kernel is judged: a goal was missed, the check misses something, a build differs."""

REPORT = "this is a bug in ktrace, please report it; KTRACE_TRACEBACK=1 shows where"


class KtraceError(Exception):
    """Root of everything ktrace raises on purpose.

    :param message: lower case, the offending value with ``!r``, no full stop
    :param hint: what the person can do next, or ``None``
    """

    exit_code = 3
    blame = "host"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint is not None:
            self.add_note(hint)  # what a traceback shows, as that of a test

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as it is, whatever it was made from."""
        return _as_it_was, (type(self), self.args, vars(self))


def _as_it_was(kind: type[KtraceError], arguments: tuple[Any, ...], members: dict[str, Any]) -> KtraceError:
    error = kind.__new__(kind, *arguments)
    vars(error).update(members)
    return error


class UsageError(KtraceError):
    """The person's input cannot be used: a bad script, an unknown name, a wrong vmlinux."""

    exit_code = 2
    blame = "usage"


class KernelLacks(UsageError):
    """A kernel has not what is asked of it: a member, a tracer; another one may have it."""


class NotModelled(UsageError):
    """A step asks for what the model does not know: nobody can tell whether the kernel does it right.

    :param what: the call, and what of it is not known
    :ivar step: the step's number
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(
            f"step {step}: {what}",
            "leave it out: nobody can tell whether the kernel does it right; docs/coverage.md says what is known",
        )
        self.step = step
        self.what = what


class HostError(KtraceError):
    """This machine cannot do it: no QEMU, no space, no permission."""

    exit_code = 3
    blame = "host"


class GuestError(KtraceError):
    """The guest failed: it panicked, hung, died or spoke garbage.

    :param console: the end of the guest's console, as text
    """

    exit_code = 4
    blame = "guest"

    def __init__(self, message: str, hint: str | None = None, console: str = "") -> None:
        super().__init__(message, hint)
        self.console = console


class GuestPanic(GuestError):
    """The guest's kernel panicked."""


class GuestHang(GuestError):
    """The guest did not answer within its deadline."""


class GuestDied(GuestError):
    """QEMU ended while the guest was still needed."""


class GuestGarbage(GuestError):
    """The guest answered something that is not the protocol, or its memory holds nonsense."""


class GuestFileError(GuestError):
    """The agent could not read or write a file of the guest, or run it.

    :ivar errno: what the guest's kernel said
    """

    def __init__(self, path: str, errno: int) -> None:
        super().__init__(f"{path!r} in the guest: {os.strerror(errno)}")
        self.errno = errno


class InternalError(KtraceError):
    """ktrace itself failed: a bug of ours. Neither kernel nor person is to blame."""

    exit_code = 5
    blame = "bug"

    @classmethod
    def of(cls, error: BaseException) -> InternalError:
        """Return what to say of an exception that nobody caught."""
        import traceback  # it takes longer to load than the rest of this module

        place = traceback.extract_tb(error.__traceback__)[-1:]
        where = f", {os.path.basename(place[0].filename)}:{place[0].lineno}" if place else ""
        return cls(f"{type(error).__name__}: {error}{where}", REPORT)


class ModelError(InternalError):
    """The model itself failed: a bug of ours."""

    blame = "model"
