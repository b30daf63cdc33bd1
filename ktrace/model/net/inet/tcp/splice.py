"""Pages into TCP and out of it (``net/ipv4/tcp.c: do_tcp_sendpages()``, ``tcp_splice_read()``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

from ktrace.include.linux.socket import MSG_SENDPAGE_NOTLAST
from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN
from ktrace.include.net.tcp import TCP_NAGLE_PUSH
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.kernel import Kernel
from ktrace.model.mm.page import Page
from ktrace.model.net.core.page_frag import FragPage
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.core.sock_callbacks import set_wq_bit
from ktrace.model.net.core.sock_wait import sock_intr_errno, sock_rcvtimeo, sock_sndtimeo
from ktrace.model.net.inet.tcp.io import (
    CONNECTED,
    at_end,
    sk_stream_error,
    sk_stream_memory_free,
    sk_stream_wait_connect,
    sk_stream_wait_memory,
    sk_wait_event,
)
from ktrace.model.net.inet.tcp.segment import tcp_cleanup_rbuf, tcp_push_pending_frames
from ktrace.model.net.inet.tcp.sock import Tcp, tcp_sk
from ktrace.model.net.splice_socket import NOSTEAL_OPS, PartialPage, splice_to_pipe
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.allowed import Between
from ktrace.state.fs.pipe import pipe as state
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_MORE

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

WHOSE = Rule("net/ipv4/tcp.c", "tcp_splice_read", "TCP's queues and the page fragments of tasks hold the page, too")
PIECES = Rule("net/core/skbuff.c", "skb_splice_bits", "in which pieces of which pages the bytes of a stream lie")
LARGEST = 1 << 16


class Borrowed(FragPage):
    """Pages of a packet whose references only TCP knows."""

    def __init__(self, key: int) -> None:
        super().__init__(key, bytes(LARGEST))

    def references(self) -> int | Between:
        """Return ``page_count()``: any number, as TCP's queues hold these pages, too."""
        return Between(WHOSE, 1, LARGEST)


def tcp_sendpage(task: Task, sk: Tcp, page: Page, offset: int, size: int, flags: int) -> Sleeps[int]:
    """Queue a part of a page and send what there is, unless more is to come (``tcp_sendpage_locked()``)."""
    kernel = task.kernel
    timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT)
    copied = 0
    try:
        if sk.state not in CONNECTED:
            yield from sk_stream_wait_connect(task, sk, timeo)
        set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE", False)
        if sk.err or sk.shutdown & SEND_SHUTDOWN:
            raise Errno("EPIPE")
        while True:
            chunk = sk_stream_memory_free(kernel, sk, size - copied)
            if chunk:
                if not sk.out:
                    sk.nonagle &= ~TCP_NAGLE_PUSH  # tcp_skb_entail()
                page.lend(sk.most_packets(chunk))
                sk.out.append_page(page, offset + copied, chunk)
                copied += chunk
            if copied == size:
                break
            tcp_push_pending_frames(kernel, sk)
            yield from sk_stream_wait_memory(task, sk, timeo)
    except Errno as error:
        if not copied:
            raise sk_stream_error(task, sk, flags, error) from None
    sk.more = bool(flags & (MSG_MORE | MSG_SENDPAGE_NOTLAST))
    tcp_push_pending_frames(kernel, sk)
    return copied


def tcp_splice_eof(kernel: Kernel, sk: Tcp) -> None:
    """Send what was held back for more (``tcp_splice_eof()``)."""
    sk.more = False
    tcp_push_pending_frames(kernel, sk)


def tcp_splice_read(task: Task, sock: Socket, pipe: PipeInode, length: int) -> Sleeps[int]:
    """Share received pages with a pipe (``tcp_splice_read()``)."""
    sk = tcp_sk(sock.sk)
    assert sock.file is not None
    timeo = sock_rcvtimeo(sk, sock.file.f_flags & O_NONBLOCK)
    spliced = 0
    try:
        while spliced < length:
            done = tcp_read_sock(task, sk, pipe, length - spliced)
            if done:
                spliced += done
                closed = sk.err or sk.state == "TCP_CLOSE" or sk.shutdown & RCV_SHUTDOWN
                if not timeo or closed or task.signal_pending():
                    break
                continue
            if spliced or at_end(sk, timeo):
                break
            if sk.rx:
                break  # urgent data is in the way
            set_wq_bit(sk, "SOCKWQ_ASYNC_WAITDATA")
            yield from sk_wait_event(task, sk, timeo)
            set_wq_bit(sk, "SOCKWQ_ASYNC_WAITDATA", False)
            if task.signal_pending():
                raise sock_intr_errno(timeo)
    except Errno:
        if not spliced:
            raise
    return spliced


def tcp_read_sock(task: Task, sk: Tcp, pipe: PipeInode, length: int) -> int:
    """Hand over what was received, up to urgent data (``tcp_read_sock()``, ``tcp_splice_data_recv()``)."""
    if sk.state == "TCP_LISTEN":
        raise Errno("ENOTCONN")
    size = min(len(sk.rx), length)
    if sk.urg_data and sk.urg_seq >= sk.copied_seq():
        size = min(size, sk.urg_seq - sk.copied_seq())
    done = 0
    if size:
        done = splice_to_pipe(task, pipe, list(_parts(task.kernel, sk, pipe, size)))
        del sk.rx[:done]
        sk.reads += 1
    if sk.fin == "queued" and not sk.rx and done < length:
        sk.fin = "read"
    if done:
        tcp_cleanup_rbuf(task.kernel, sk)
    return done


def _parts(kernel: Kernel, sk: Tcp, pipe: PipeInode, size: int) -> Iterator[PartialPage]:
    """Yield the pages that *size* received bytes are in, with a reference to each.

    Pages that came in by a splice are known. What was copied lies in page fragments of the sender's, in
    pieces that depend on all it sent before: these are as the kernel has them, as long as the bytes are right.
    """
    borrowed: dict[Ref, FragPage] = {}
    index = pipe.head
    for known in sk.rx[:size].parts:
        at = 0
        while at < known.size:
            left = known.cut(at, known.size)
            data = left.read()

            def find(seen: Observed, slot: int = index & pipe.ring_size - 1) -> state.PipeBuffer | None:
                return _slot(kernel, seen, pipe, slot, borrowed)

            def fits(slot: state.PipeBuffer, data: bytes = data) -> bool:
                if slot.ops != NOSTEAL_OPS:
                    return slot.ops is None
                return 0 < slot.len <= len(data) and data.startswith(slot.data)

            slot = kernel.choose(PIECES, find, fits, otherwise=None)
            index += 1
            length = slot.len if slot is not None and slot.ops == NOSTEAL_OPS else len(data)
            at += length
            if left.page is not None:
                left.page.get()
                yield left.page, left.offset, length
                continue
            page, offset = _place(kernel, slot, length, borrowed)
            page.data[offset : offset + length] = left.data[:length]
            page.get()
            yield page, offset, length


def _place(
    kernel: Kernel,
    slot: state.PipeBuffer | None,
    length: int,
    borrowed: dict[Ref, FragPage],
) -> tuple[FragPage, int]:
    """Return page and offset of *length* bytes, as the kernel's own *slot* has them."""
    if slot is None or slot.page is None or slot.ops != NOSTEAL_OPS:
        # Read on in the same step: the offset is where reading ended.
        offset = slot.offset - length if slot is not None and slot.ops is None else 0
        return Borrowed(kernel.serial()), min(max(offset, 0), LARGEST - length)
    page = borrowed.get(slot.page) or Borrowed(kernel.serial())
    borrowed[slot.page] = page
    return page, min(slot.offset, len(page.data) - length)


def _slot(
    kernel: Kernel, seen: Observed, pipe: PipeInode, index: int, borrowed: dict[Ref, FragPage]
) -> state.PipeBuffer | None:
    """Return the kernel's own slot of a pipe; its page is *borrowed* where a pipe has it already."""
    twin = seen.pipe(pipe)
    slot = twin.bufs.get(index) if twin is not None else None
    if slot is not None and slot.page is not None and slot.page not in borrowed:
        page = _elsewhere(kernel, seen, slot)
        if page is not None:
            borrowed[slot.page] = page
    return slot


def _elsewhere(kernel: Kernel, seen: Observed, slot: state.PipeBuffer) -> FragPage | None:
    """Return the page of *slot* if a pipe has it already.

    That one came from TCP, or from a task's fragment that TCP filled on: what a socket without pages gives to a pipe
    is copied to one (``net/core/skbuff.c: linear_to_page()``).
    """
    if slot.page is None or slot.ops != NOSTEAL_OPS:
        return None
    files = {id(item.file): item.file for task in kernel.tasks.values() for item in task.files.slots.values()}
    for file in files.values():
        pipe = file.private
        if not isinstance(pipe, PipeInode) or not any(_is_tcps(buf.page) for buf in pipe.bufs):
            continue
        twin = seen.pipe(pipe)
        for index, buf in enumerate(pipe.bufs):
            other = twin.bufs.get(index) if twin is not None else None
            if buf.ops and other is not None and other.page == slot.page and _is_tcps(buf.page):
                return buf.page
    return None


def _is_tcps(page: Page | None) -> TypeGuard[FragPage]:
    return isinstance(page, Borrowed) or (isinstance(page, FragPage) and bool(page.lent))
