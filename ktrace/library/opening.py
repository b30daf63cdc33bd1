"""What a person asks for when a lab is to be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.library.lab import Lab
from ktrace.verify.options import DEFAULT_IMAGE, GuestOptions
from ktrace.verify.probing.breakpoints import parse_probe
from ktrace.verify.tracing.events import parse_event


def lab(
    image: str = DEFAULT_IMAGE,
    *,
    memory: int | None = None,
    accel: str | None = None,
    functions: bool = False,
    events: Sequence[str] = (),
    probes: Sequence[str] = (),
    checked: bool = True,
    session: Path | str | None = None,
    title: str = "",
) -> Lab:
    """Return a lab in a fresh guest: ``with ktrace.lab("lab-6.1") as lab``.

    :param image: name of a lab image
    :param memory: RAM in MiB; default what the image needs
    :param accel: ``"kvm"`` or ``"tcg"``; default what works here
    :param functions: record the kernel functions that each step goes through
    :param events: tracepoints and kprobes to record with each step: ``"sched:sched_wakeup"``, ``"pipe_write"``
    :param probes: what to show whenever an actor enters a function: ``"pipe_write iocb->ki_flags"``
    :param checked: hold every step against the model
    :param session: directory in which to keep the session; default: it is kept where the lab ends by an exception
    :param title: what the session is of
    :raises UsageError: an event or a probe is not written as such
    """
    options = options_of(image, memory, accel, functions, events, probes)
    return Lab(options, checked=checked, session=None if session is None else Path(session), title=title)


def options_of(
    image: str,
    memory: int | None = None,
    accel: str | None = None,
    functions: bool = False,
    events: Sequence[str] = (),
    probes: Sequence[str] = (),
) -> GuestOptions:
    """Return what :func:`lab` is asked for as the command line has it.

    :raises UsageError: an event or a probe is not written as such, or the memory is no number
    """
    if memory is not None and (not isinstance(memory, int) or memory <= 0):
        raise UsageError(f"memory is a number of MiB, not {memory!r}")
    probes, events = ((one,) if isinstance(one, str) else one for one in (probes, events))
    return GuestOptions(
        image, accel, memory, functions, tuple(map(parse_probe, probes)), tuple(map(parse_event, events))
    )
