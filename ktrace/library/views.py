"""What is looked up in the World of a lab: objects of every kind, as the frozen dataclasses of ``ktrace.state``."""

from __future__ import annotations

from typing import Any, cast

from ktrace.errors import UsageError
from ktrace.library import find
from ktrace.library.arguments import Named
from ktrace.library.result import Result
from ktrace.state.fs.epoll import Epoll
from ktrace.state.fs.eventfd import EventFd
from ktrace.state.fs.file import DescriptorTable, File
from ktrace.state.fs.inode import Inode
from ktrace.state.fs.pipe.pipe import Pipe
from ktrace.state.ipc.msg import MsgQueue
from ktrace.state.ipc.namespace import IpcNamespace
from ktrace.state.ipc.sem import SemArray, SemUndoList
from ktrace.state.ipc.shm import ShmidKernel
from ktrace.state.net.sock import Sock
from ktrace.state.net.socket import Socket
from ktrace.state.process.process import Process, User
from ktrace.state.ref import Ref
from ktrace.state.world import World


class Views:
    """Look up what a World has. An actor may be given by its name."""

    @property
    def world(self) -> World:
        """All that the actors can reach."""
        raise NotImplementedError

    def at(self, ref: Ref | None) -> Any:
        """Return the object that *ref* names: objects of a World point at each other so.

        :raises UsageError: there is none
        """
        return find.at(self.world, ref, "object")

    def process(self, actor: Named | str) -> Process:
        """Return the process of *actor* (``struct task_struct``).

        :raises UsageError: it does not live
        """
        return find.process_of(self.world, self._name(actor))

    def file(self, actor: Named | str, fd: int | Result) -> File:
        """Return what descriptor *fd* of *actor* opens (``struct file``).

        :raises UsageError: it is not open
        """
        return find.file_of(self.world, self._name(actor), _number(fd))

    def pipe(self, fd: int | Result, actor: Named | str | None = None) -> Pipe:
        """Return the pipe or FIFO behind descriptor *fd* (``struct pipe_inode_info``).

        :param actor: whose descriptor; default: whoever has it
        :raises UsageError: it is not open, no pipe, or another pipe in each of several actors
        """
        if actor is None:
            return cast(Pipe, find.behind_any(self.world, _number(fd), "pipe"))
        return cast(Pipe, find.behind(self.world, self._name(actor), _number(fd), "pipe"))

    def descriptors(self, actor: Named | str) -> DescriptorTable:
        """Return what is open in *actor* (``struct files_struct``).

        :raises UsageError: it does not live, or ends
        """
        return cast(DescriptorTable, find.at(self.world, self.process(actor).files, "descriptor table"))

    def inode(self, actor: Named | str, fd: int | Result) -> Inode:
        """Return the inode behind descriptor *fd* of *actor*, a pipe's or a file's (``struct inode``).

        :raises UsageError: it is not open, or opens something else
        """
        target = self.file(actor, fd).target
        if target.kind == "pipe":
            target = self.pipe(fd, actor).inode
        return cast(Inode, find.require_kind(self.world, target, "inode", self._name(actor), _number(fd)))

    def epoll(self, actor: Named | str, fd: int | Result) -> Epoll:
        """Return the epoll set behind descriptor *fd* of *actor* (``struct eventpoll``).

        :raises UsageError: it is not open, or none
        """
        return cast(Epoll, find.behind(self.world, self._name(actor), _number(fd), "epoll"))

    def eventfd(self, actor: Named | str, fd: int | Result) -> EventFd:
        """Return the counter behind descriptor *fd* of *actor* (``struct eventfd_ctx``).

        :raises UsageError: it is not open, or none
        """
        return cast(EventFd, find.behind(self.world, self._name(actor), _number(fd), "eventfd"))

    def socket(self, actor: Named | str, fd: int | Result) -> Socket:
        """Return the socket behind descriptor *fd* of *actor* (``struct socket``).

        :raises UsageError: it is not open, or no socket
        """
        return cast(Socket, find.behind(self.world, self._name(actor), _number(fd), "socket"))

    def sock(self, actor: Named | str, fd: int | Result) -> Sock:
        """Return the protocol's side of the socket behind descriptor *fd* of *actor* (``struct sock``): its queues, ...

        :raises UsageError: it is not open, or no socket, or has none
        """
        return cast(Sock, find.at(self.world, self.socket(actor, fd).sk, "sock"))

    def sem(self, semid: int | Result, actor: Named | str | None = None) -> SemArray:
        """Return a semaphore array (``struct sem_array``).

        :param actor: in whose namespace; default: whichever has it
        :raises UsageError: there is none
        """
        return find.with_id(self.world, SemArray, _number(semid), self._ipc_ns(actor))

    def msg(self, msqid: int | Result, actor: Named | str | None = None) -> MsgQueue:
        """Return a message queue (``struct msg_queue``).

        :param actor: in whose namespace; default: whichever has it
        :raises UsageError: there is none
        """
        return find.with_id(self.world, MsgQueue, _number(msqid), self._ipc_ns(actor))

    def shm(self, shmid: int | Result, actor: Named | str | None = None) -> ShmidKernel:
        """Return a shared memory segment (``struct shmid_kernel``).

        :param actor: in whose namespace; default: whichever has it
        :raises UsageError: there is none
        """
        return find.with_id(self.world, ShmidKernel, _number(shmid), self._ipc_ns(actor))

    def undo(self, actor: Named | str) -> SemUndoList | None:
        """Return the list of what *actor* gives back at its end (``struct sem_undo_list``), ``None`` where it has none.

        :meth:`at` gives the ``struct sem_undo`` behind each reference of its ``list_proc``.

        :raises UsageError: it does not live
        """
        ref = self.process(actor).undo_list
        return None if ref is None else cast(SemUndoList, self.at(ref))

    def ipc_ns(self, actor: Named | str) -> IpcNamespace:
        """Return the IPC namespace of *actor*: limits, identifiers, keys (``struct ipc_namespace``).

        :raises UsageError: it does not live
        """
        return cast(IpcNamespace, find.at(self.world, self.process(actor).ipc_ns, "IPC namespace"))

    def user(self, uid: int) -> User:
        """Return what all processes of user *uid* have taken together (``struct user_struct``).

        :raises UsageError: no actor belongs to it
        """
        return cast(User, find.at(self.world, Ref("user", str(uid)), "user"))

    def _ipc_ns(self, actor: Named | str | None) -> Ref | None:
        return None if actor is None else self.process(actor).ipc_ns

    def _name(self, actor: Named | str) -> str:
        """Return the name of an actor of this lab.

        :raises UsageError: it is none, or another lab's
        """
        if not isinstance(actor, (Named, str)):
            raise UsageError(f"an actor is wanted, not {actor!r}", "actor before descriptor, but lab.pipe(fd, actor)")
        return actor if isinstance(actor, str) else actor.name_in(self)


def _number(value: int | Result) -> int:
    """Return a descriptor or an identifier.

    :raises UsageError: it is none, or a result without a value
    """
    if not isinstance(value, (int, Result)):
        raise UsageError(f"a number is wanted, not {value!r}", "as a call returned it: a descriptor, an identifier")
    return int(value)
