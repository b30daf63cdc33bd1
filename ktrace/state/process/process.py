"""Processes, users, and who somebody is."""

from __future__ import annotations

from dataclasses import field

from ktrace.state.ipc.shm import ShmMapping
from ktrace.state.order import unordered
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule

SHM_CLIST = Rule("ipc/shm.c", "exit_shm", "segments of their creator lie in any order: each is orphaned on its own")


@dataclass(frozen=True, slots=True)
class Process:
    """One actor's ``task_struct``, as far as IPC goes.

    :param pid: in the initial pid namespace
    :param files: its ``files_struct``, kind ``fdtable``; ``None`` once it exits
    :param euid: effective user id; also *uid*, *egid*, *gid*
    :param ipc_ns: ``nsproxy->ipc_ns``, kind ``ipc_ns``
    :param undo_list: ``sysvsem.undo_list``, kind ``undo_list``
    :param mappings: System V segments by address
    :param shm_clist: segments that it created
    :param stopped: by a signal, until SIGCONT (``signal->flags``: SIGNAL_STOP_STOPPED)
    :param pgrp: the actor that leads its process group, *session* its session; ``None`` for those of the agent
    """

    name: str
    pid: int
    files: Ref | None
    uid: int
    gid: int
    euid: int
    egid: int
    ipc_ns: Ref | None = None
    undo_list: Ref | None = None
    mappings: tuple[ShmMapping, ...] = ()
    shm_clist: tuple[Ref, ...] = field(default=(), metadata=unordered(SHM_CLIST))
    stopped: bool = False
    pgrp: Ref | None = None
    session: Ref | None = None


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What the model must be told of the agent, the parent of all actors, at the start.

    :param agent_pid: its pid; *agent_pgrp* and *agent_session*: the numbers of its process group and session
    :param rlim: ``rlim_cur`` and ``rlim_max`` of each of its limits; empty where they were not read
    """

    agent_pid: int = 0
    agent_pgrp: int = 0
    agent_session: int = 0
    rlim: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A ``user_struct``: what all processes of one user have taken together.

    :param pipe_bufs: pages of pipe rings (``user_struct.pipe_bufs``)
    """

    pipe_bufs: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who sent or who listened: an actor's name (``pid N`` for a stranger), or ``None``."""

    pid: str | None
    uid: int
    gid: int
