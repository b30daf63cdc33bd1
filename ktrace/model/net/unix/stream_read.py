"""What is read of an AF_UNIX stream (``net/unix/af_unix.c``: unix_stream_read_generic, manage_oob)."""

from __future__ import annotations

from collections.abc import Callable

from ktrace.include.net.sock import RCV_SHUTDOWN
from ktrace.model.net.core.proto_ops import InMessage
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import (
    Socket,
    sk_peek_offset,
    sk_peek_offset_bwd,
    sk_peek_offset_fwd,
    sock_error,
    sock_rcvlowat,
)
from ktrace.model.net.core.sock_callbacks import set_wq_bit
from ktrace.model.net.core.sock_wait import Timeo, prepare_to_wait, sleeper, sock_intr_errno, sock_rcvtimeo
from ktrace.model.net.unix.scm import (
    Scm,
    scm_recv,
    scm_stat_del,
    unix_detach_fds,
    unix_peek_fds,
)
from ktrace.model.net.unix.skb import kfree_skb
from ktrace.model.net.unix.sock import Unix, unix_sk, unix_skb_len
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_WAITALL


def unix_stream_recvmsg(task: Task, socket: Socket, msg: InMessage, flags: int) -> Sleeps[int]:
    """Read bytes (``unix_stream_read_generic()``)."""

    def unix_stream_read_actor(skb: SkBuff, start: int, chunk: int) -> int:
        return chunk if msg.destination.copy(skb.data[start : start + chunk]) == chunk else -1

    size = msg.destination.count
    return (yield from StreamReader(task, socket, msg, flags, size, unix_stream_read_actor).read())


class StreamReader:
    """One call that reads a stream (``unix_stream_read_generic()`` with ``unix_stream_read_actor()``)."""

    def __init__(
        self,
        task: Task,
        socket: Socket,
        msg: InMessage | None,
        flags: int,
        size: int,
        recv_actor: Callable[[SkBuff, int, int], int],
    ) -> None:
        kernel = task.kernel
        self.kernel = kernel
        self.task = task
        self.socket = socket
        self.sk = unix_sk(socket.sk)
        self.msg = msg
        self.flags = flags
        self.peek = bool(flags & MSG_PEEK)
        self.oob = kernel.net.facts.oob
        self.scm = Scm()
        self.holes = kernel.changes.unix_oob_holes
        self.size = self.asked = size
        self.recv_actor = recv_actor
        self.copied = 0
        self.skip = 0
        self.creds: tuple[str | None, int, int] | None = None

    def read(self) -> Sleeps[int]:
        """Read until the target is met; return the number of bytes."""
        sk, flags = self.sk, self.flags
        if sk.state != "TCP_ESTABLISHED":
            raise Errno("EINVAL")
        if flags & MSG_OOB:
            if not self.oob:
                raise Errno("EOPNOTSUPP")
            return self._recv_urg()
        target = sock_rcvlowat(sk, flags & MSG_WAITALL, self.size)
        timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT)
        self.skip = max(sk_peek_offset(sk, flags), 0)
        error: str | None = None
        skb: SkBuff | None
        last: SkBuff | None
        redo = True
        while True:
            if redo:
                if sk.flag("SOCK_DEAD"):
                    error = "ECONNRESET"
                    break
                last = skb = sk.receive_queue[0] if sk.receive_queue else None
                last_len = len(skb) if skb is not None else 0
            # again:
            if self.oob and skb is not None:
                if self.holes:
                    skb, last = self._pass_oob(skb, last)
                    if skb is None and (self.copied or not self.asked):
                        break
                else:
                    skb = self._manage_oob(skb)
                    if skb is None and self.copied:
                        break
            if skb is None:
                if self.copied >= target:
                    break
                error = sock_error(sk)
                if error or sk.shutdown & RCV_SHUTDOWN:
                    break
                if not timeo:
                    error = "EAGAIN"
                    break
                yield from self._stream_data_wait(last, last_len, timeo)
                if self.task.signal_pending():
                    self.scm.destroy(self.task)
                    if self.copied:
                        return self.copied
                    raise sock_intr_errno(timeo)
                if self.holes:
                    self.skip = max(sk_peek_offset(sk, flags), 0)
                redo = True
                continue
            while skb is not None and self.skip >= unix_skb_len(skb):
                self.skip -= unix_skb_len(skb)
                last, last_len = skb, len(skb)
                skb = skb_peek_next(sk.receive_queue, skb)
            if skb is None:
                redo = False
                continue
            if self._copy(skb):
                break
            if self.peek:
                self.skip = 0
                last, last_len = skb, len(skb)
                skb = skb_peek_next(sk.receive_queue, skb)
                if skb is None:
                    break
                redo = False
                continue
            if not self.size:
                break
            redo = True
        return self._finish(error)

    def _finish(self, error: str | None) -> int:
        if self.creds is not None:
            self.scm.pid, self.scm.uid, self.scm.gid = self.creds
        else:
            # memset(&scm, 0): nobody's pid, and root's ids
            self.scm.pid, self.scm.uid, self.scm.gid = None, 0, 0
        if self.msg is not None:
            scm_recv(self.task, self.socket, self.msg, self.scm)
        else:
            self.scm.destroy(self.task)
        if self.copied:
            if self.copied < 0:
                raise Errno("EFAULT")
            return self.copied
        if error:
            raise Errno(error)
        return 0

    def _manage_oob(self, skb: SkBuff) -> SkBuff | None:
        """Stop before, skip or drop the out-of-band byte (``manage_oob()``)."""
        sk, queue = self.sk, self.sk.receive_queue
        if not unix_skb_len(skb) and not self.peek:
            queue.remove(skb)
            kfree_skb(self.task, skb)
            return None
        if skb is sk.oob_skb:
            if self.copied:
                return None
            if not self.peek:
                sk.oob_skb = None
                if not sk.flag("SOCK_URGINLINE"):
                    queue.remove(skb)
                    found = queue[0] if queue else None
                    kfree_skb(self.task, skb)
                    return found
            elif not sk.flag("SOCK_URGINLINE"):
                return skb_peek_next(queue, skb)
        return skb

    def _pass_oob(self, skb: SkBuff, last: SkBuff | None) -> tuple[SkBuff | None, SkBuff | None]:
        """Stop at the empty buffer of a byte that was read, or pass it; stop before, skip or drop the one that is
        out of band (``manage_oob()`` of later kernels).

        :param last: what the queue ends with unless more arrives
        :returns: the buffer to read, and *last* anew
        """
        sk, queue = self.sk, self.sk.receive_queue
        following: SkBuff | None = skb
        if not unix_skb_len(skb):
            if self.copied and (sk.oob_skb is None or skb is sk.oob_skb):
                return None, last
            following = skb_peek_next(queue, skb)
            if self.peek:
                last = skb
            else:
                last = following
                queue.remove(skb)
                kfree_skb(self.task, skb)
            if following is None:
                return None, last
        if following is not sk.oob_skb:
            return following, last
        assert following is not None
        if self.copied:
            return None, last
        if not self.peek:
            sk.oob_skb = None
            if not sk.flag("SOCK_URGINLINE"):
                queue.remove(following)
                kfree_skb(self.task, following)
                following = last = queue[0] if queue else None
        elif not sk.flag("SOCK_URGINLINE"):
            last = following
            following = skb_peek_next(queue, following)
        return following, last

    def _copy(self, skb: SkBuff) -> bool:
        """Copy from *skb*; tell whether the call ends after it."""
        sk = self.sk
        creds = (skb.pid, skb.uid, skb.gid)
        if self.creds is not None:
            # Never glue messages from different writers.
            if creds != self.creds:
                return True
        elif "SOCK_PASSCRED" in self.socket.flags:
            self.creds = creds
        if self.msg is not None and self.msg.wants_name and isinstance(skb.sk, Unix) and skb.sk.addr is not None:
            self.msg.name = skb.sk.addr
        chunk = min(unix_skb_len(skb) - self.skip, self.size)
        chunk = self.recv_actor(skb, skb.consumed + self.skip, chunk)
        if chunk < 0:
            self.copied = self.copied or -1
            return True
        self.copied += chunk
        self.size -= chunk
        if not self.peek:
            return self._take(skb, chunk)
        if skb.fp:
            unix_peek_fds(self.scm, skb)
        sk_peek_offset_fwd(sk, chunk)
        return bool(skb.fp)

    def _take(self, skb: SkBuff, chunk: int) -> bool:
        """Mark bytes as read; free the buffer with its last one. Tell whether the call ends."""
        sk = self.sk
        skb.consumed += chunk
        sk.inq_len -= chunk
        sk_peek_offset_bwd(sk, chunk)
        if skb.fp:
            scm_stat_del(self.kernel, sk, skb)
            unix_detach_fds(self.scm, skb)
        if unix_skb_len(skb):
            return True
        sk.receive_queue.remove(skb)
        kfree_skb(self.task, skb)
        return bool(self.scm.fp)

    def _recv_urg(self) -> int:
        """Read the out-of-band byte (``unix_stream_recv_urg()``)."""
        sk, queue = self.sk, self.sk.receive_queue
        skb = sk.oob_skb
        if sk.flag("SOCK_URGINLINE") or skb is None:
            raise Errno("EINVAL")
        read: SkBuff | None = None
        if not self.peek:
            sk.oob_skb = None
            sk.inq_len -= 1
            at = queue.index(skb)
            if at > 0 and not unix_skb_len(queue[at - 1]):
                read = queue.pop(at - 1)
        assert self.msg is not None
        # The actor copies one byte; a buffer without room for it is no fault (__skb_datagram_iter()).
        copied = self.msg.destination.copy(skb.data[skb.consumed : skb.consumed + 1])
        if not self.peek:
            skb.consumed += 1
        if read is not None:
            kfree_skb(self.task, read)
        if copied < 1 and self.msg.destination.count:
            raise Errno("EFAULT")
        self.msg.flags |= MSG_OOB
        return 1

    def _stream_data_wait(self, last: SkBuff | None, last_len: int, timeo: Timeo) -> Sleeps[None]:
        """Sleep until something changes (``unix_stream_data_wait()``)."""
        sk, task = self.sk, self.task
        assert sk.wq is not None
        queue, entry = sk.wq, sleeper(task)
        while True:
            prepare_to_wait(queue, entry)
            tail = sk.receive_queue[-1] if sk.receive_queue else None
            if (
                tail is not last
                or (tail is not None and len(tail) != last_len and not self.holes)
                or sk.err
                or sk.shutdown & RCV_SHUTDOWN
                or task.signal_pending()
                or not timeo
            ):
                break
            set_wq_bit(sk, "SOCKWQ_ASYNC_WAITDATA")
            yield from timeo.sleep(task)
            if sk.flag("SOCK_DEAD"):
                break
            set_wq_bit(sk, "SOCKWQ_ASYNC_WAITDATA", False)
        queue.remove(entry)


def skb_peek_next(queue: list[SkBuff], skb: SkBuff) -> SkBuff | None:
    """Return the buffer behind *skb* (``skb_peek_next()``)."""
    at = queue.index(skb) + 1
    return queue[at] if at < len(queue) else None
