"""What is copied into a pipe (``fs/splice.c: copy_splice_read()``, once ``generic_file_splice_read()``)."""

from __future__ import annotations

from collections.abc import Callable

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.types import u32
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe import DEFAULT_OPS, PipeInode, push_page
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import Destination
from ktrace.model.mm.page import Page
from ktrace.model.task import Errno, Task
from ktrace.model.wait import MaySleep, Sleeps, drive


class PipeDestination(Destination):
    """Room in a pipe, filled page by page (``lib/iov_iter.c: copy_pipe_to_iter()``, ``append_pipe()``)."""

    def __init__(self, kernel: Kernel, pipe: PipeInode, count: int) -> None:
        super().__init__(count)
        self.kernel = kernel
        self.pipe = pipe
        self.start_head = pipe.head
        self.last_offset = 0

    def copy(self, data: bytes) -> int:
        """Copy *data* into pages of the pipe's own and return how much of it had room."""
        done = 0
        data = data[: self.count]
        while done < len(data):
            if not 0 < self.last_offset < PAGE_SIZE:
                if self.pipe.full():
                    break
                self.last_offset = 0
                push_page(self.pipe, Page(self.kernel.serial(), 0), DEFAULT_OPS, 0, 0)
            chunk = data[done : done + PAGE_SIZE - self.last_offset]
            buf = self.pipe.slot(self.pipe.head - 1)
            assert buf.page is not None
            buf.page.data[self.last_offset : self.last_offset + len(chunk)] = chunk
            buf.len += len(chunk)
            self.last_offset += len(chunk)
            done += len(chunk)
        self.count -= done
        return done

    def discard(self) -> None:
        """Take back what was put (``pipe_discard_from()``)."""
        while self.pipe.head != self.start_head:
            self.pipe.head = u32(self.pipe.head - 1)
            self.pipe.release(self.pipe.slot(self.pipe.head))


def splice_by_message(
    kernel: Kernel, receive: Callable[[Destination], MaySleep[int]], pipe: PipeInode, length: int
) -> Sleeps[int]:
    """Receive into a pipe what any reader would get (``generic_file_splice_read()``, ``sock_read_iter()``).

    :param receive: receives into the destination that it is given
    """
    to = PipeDestination(kernel, pipe, length)
    try:
        return (yield from drive(receive(to)))
    except Errno as error:
        to.discard()
        # -EAGAIN is what "can't put anything in there" is expected to be.
        raise Errno("EAGAIN" if error.name == "EFAULT" else error.name) from None


def copy_splice_read(task: Task, file: File, position: int, pipe: PipeInode, length: int) -> Sleeps[tuple[int, int]]:
    """Read a file with O_DIRECT into pages of the pipe's own; return the bytes read and the position after them."""

    def receive(to: Destination) -> MaySleep[int]:
        return file.ops.read_iter(task, file, to)

    kept, file.pos = file.pos, position
    try:
        done = yield from splice_by_message(task.kernel, receive, pipe, length)
        return done, file.pos
    finally:
        file.pos = kept
