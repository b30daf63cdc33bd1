"""What all pipes share: limits, and what each user has taken (``fs/pipe.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.pipe_fs_i import PIPE_DEF_BUFFERS
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.kernel import Kernel
from ktrace.model.mm.address_space import ZERO_PAGE
from ktrace.model.mm.page import FileData, Page, UserPage
from ktrace.model.subsystem import Subsystem
from ktrace.model.task import Task
from ktrace.state.fs.pipe.pipe import PipeFacts
from ktrace.state.process.process import User
from ktrace.state.ref import Ref

PIPE_MIN_DEF_BUFFERS = 2


class Pipes(Subsystem):
    """Keep what all pipes share: limits, and what each user has taken.

    :param facts: limits and accounting of the kernel before the first step
    """

    def __init__(self, facts: PipeFacts | None = None) -> None:
        facts = facts or PipeFacts()
        self.batched = not facts.lru_batches
        self.facts = facts
        self.max_size = facts.pipe_max_size
        self.soft = facts.pipe_user_pages_soft
        self.hard = facts.pipe_user_pages_hard
        self.pipe_bufs = dict(facts.pipe_bufs or {})
        self._user_pages: dict[int, Page] = {}

    def account_pipe_buffers(self, uid: int, old: int, new: int) -> int:
        """Charge *uid* for *new* slots instead of *old* (``account_pipe_buffers()``)."""
        self.pipe_bufs[uid] = self.pipe_bufs.get(uid, 0) + new - old
        return self.pipe_bufs[uid]

    def too_many_pipe_buffers_soft(self, user_bufs: int) -> bool:
        """``too_many_pipe_buffers_soft()``."""
        return bool(self.soft) and user_bufs > self.soft

    def too_many_pipe_buffers_hard(self, user_bufs: int) -> bool:
        """``too_many_pipe_buffers_hard()``."""
        return bool(self.hard) and user_bufs > self.hard

    def alloc_pipe_info(self, task: Task) -> PipeInode | None:
        """Make an empty pipe at the expense of the caller's user; ``None`` over the limit (``alloc_pipe_info()``)."""
        uid = task.cred.uid
        slots = PIPE_DEF_BUFFERS
        if slots * PAGE_SIZE > self.max_size and not task.cred.capable("CAP_SYS_RESOURCE"):
            slots = self.max_size // PAGE_SIZE
        user_bufs = self.account_pipe_buffers(uid, 0, slots)
        if self.too_many_pipe_buffers_soft(user_bufs) and pipe_is_unprivileged_user(task):
            user_bufs = self.account_pipe_buffers(uid, slots, PIPE_MIN_DEF_BUFFERS)
            slots = PIPE_MIN_DEF_BUFFERS
        if self.too_many_pipe_buffers_hard(user_bufs) and pipe_is_unprivileged_user(task):
            self.account_pipe_buffers(uid, slots, 0)
            return None
        return PipeInode(task.kernel, uid, slots)

    def free_pipe_info(self, pipe: PipeInode) -> None:
        """Give back a pipe's pages and what it was charged (``free_pipe_info()``)."""
        self.account_pipe_buffers(pipe.uid, pipe.nr_accounted, 0)
        for buf in pipe.bufs:
            if buf.ops is not None:
                pipe.release(buf)

    def user_page(self, kernel: Kernel, data: bytearray) -> Page:
        """Return the page whose content is *data*, the memory of a process itself (``do_anonymous_page()``)."""
        if isinstance(data, FileData):
            return data.page
        if data is ZERO_PAGE:
            return kernel.mm.zero_page
        page = self._user_pages.get(id(data))
        if page is None:
            self._user_pages[id(data)] = page = UserPage(kernel.serial(), data, self.batched)
        return page

    def exit_last(self, task: Task) -> None:
        """Free the pipe that sendfile() made for the process (``kernel/exit.c: do_exit()``: splice_pipe)."""
        pipe, task.splice_pipe = task.splice_pipe, None
        if pipe is not None:
            self.free_pipe_info(pipe)

    def sysctl(self, kernel: Kernel, path: str, value: str) -> bool:
        """Change fs.pipe-max-size, rounded, and fs.pipe-user-pages-* (``fs/pipe.c: fs_pipe_sysctls``)."""
        if path == "fs/pipe-max-size":
            self.max_size = round_pipe_size(int(value)) or self.max_size
        elif path == "fs/pipe-user-pages-soft":
            self.soft = int(value)
        elif path == "fs/pipe-user-pages-hard":
            self.hard = int(value)
        else:
            return False
        return True

    def observe_user(self, objects: dict[Ref, Any], uid: int) -> None:
        """Add what *uid* has taken."""
        objects[Ref("user", str(uid))] = User(self.pipe_bufs.get(uid, 0))

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add the users of all actors; pipes are reached through files and inodes."""
        for task in kernel.tasks.values():
            self.observe_user(objects, task.cred.uid)


def pipe_is_unprivileged_user(task: Task) -> bool:
    """``pipe_is_unprivileged_user()``."""
    return not task.cred.capable("CAP_SYS_RESOURCE") and not task.cred.capable("CAP_SYS_ADMIN")


def round_pipe_size(size: int) -> int:
    """Return *size* in whole pages and a power of two, 0 where it is too large (``round_pipe_size()``)."""
    if size < 0 or size > 1 << 31:
        return 0
    return PAGE_SIZE if size < PAGE_SIZE else 1 << (size - 1).bit_length()
