"""Processes of ours that work for this one: they end with it, and leave Ctrl-C to it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from typing import Any

from ktrace.cycles import look_seldom
from ktrace.uapi.prctl import PR_SET_PDEATHSIG


def start_worker(work: Callable[..., None], *args: Any) -> tuple[BaseProcess, Connection]:
    """Start a process that calls *work* with its end of a connection and *args*, and return it with the other end.

    :param work: a function of a module; it finds the connection closed once this process has gone
    """
    ensure_running()  # Python's own helper; when it is begun it lets SIGINT through again
    context = get_context("spawn")
    here, there = context.Pipe()
    return _started(context.Process(target=_begin, args=(os.getpid(), work, there, *args), daemon=True), here, there)


def fork_worker(work: Callable[..., None], *args: Any) -> tuple[BaseProcess, Connection]:
    """Start a copy of this process that calls *work*, and return it with the other end of its connection.

    It has all that is loaded here, and nothing of what it was given need be sent; see :func:`start_worker`.
    """
    context = get_context("fork")
    here, there = context.Pipe()

    def begin(connection: Connection) -> None:
        here.close()
        work(connection, *args)

    return _started(context.Process(target=_begin, args=(os.getpid(), begin, there), daemon=True), here, there)


def _started(process: BaseProcess, here: Connection, there: Connection) -> tuple[BaseProcess, Connection]:
    """Start *process*, to which *there* belongs; Ctrl-C must not reach it before it can say that it ignores it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    there.close()
    return process, here


def _begin(parent: int, work: Callable[..., None], connection: Connection, *args: Any) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()
    # Ctrl-C reaches every process of the terminal: the one that asks decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    look_seldom()
    work(connection, *args)
