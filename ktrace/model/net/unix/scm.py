"""Descriptors and credentials that travel with AF_UNIX data (``net/core/scm.c``, ``net/unix/af_unix.c``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ktrace.include.linux.highuid import DEFAULT_OVERFLOWUID
from ktrace.include.net.scm import SCM_MAX_FD
from ktrace.model.fs.fcntl import find_vpid
from ktrace.model.fs.file import File, fput
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.scm import for_each_cmsghdr
from ktrace.model.net.core.skbuff import INVALID_ID, SkBuff
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.unix.sock import Unix
from ktrace.model.task import Errno, Task
from ktrace.uapi.socket import (
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SIZEOF_CMSGHDR,
    SIZEOF_UCRED,
    SOL_SOCKET,
)


def cmsg_space(length: int) -> int:
    """``CMSG_SPACE()``."""
    return SIZEOF_CMSGHDR + (length + 7 & ~7)


@dataclass
class Scm:
    """Mirror a ``struct scm_cookie``.

    :param pid: an actor's name, or ``None``
    """

    pid: str | None = None
    uid: int = INVALID_ID
    gid: int = INVALID_ID
    fp: list[File] = field(default_factory=list)

    def destroy(self, task: Task) -> None:
        """Drop what was not handed on, last descriptor first (``scm_destroy()``, ``__scm_destroy()``)."""
        self.pid = None
        files, self.fp = self.fp, []
        for file in reversed(files):
            fput(task, file)


def scm_send(task: Task, socket: Socket, msg: OutMessage, unix: bool = True) -> Scm:
    """Take over the control messages of a call (``scm_send()``, ``__scm_send()``).

    :raises Errno: EINVAL, EBADF, EPERM, ESRCH
    """
    scm = Scm()
    try:
        for message in for_each_cmsghdr(msg):
            if message["cmsg_level"] == SOL_SOCKET:
                _one_message(task, scm, message, unix)
    except Errno:
        scm.destroy(task)
        raise
    return scm


def _one_message(task: Task, scm: Scm, message: Mapping[str, Any], unix: bool) -> None:
    data = message["cmsg_data"]
    if message["cmsg_type"] == SCM_RIGHTS:
        if not unix:
            raise Errno("EINVAL")
        if isinstance(data, bytes):
            data = struct.unpack_from(f"<{len(data) // 4}i", data)
        scm_fp_copy(task, scm, data)
    elif message["cmsg_type"] == SCM_CREDENTIALS:
        if not isinstance(data, Mapping):
            raise Errno("EINVAL")
        scm_check_creds(task, data)
        owner = find_vpid(task, data["pid"])
        if owner is None:
            raise Errno("ESRCH")
        scm.pid, scm.uid, scm.gid = owner.name, data["uid"], data["gid"]
    else:
        raise Errno("EINVAL")


def scm_fp_copy(task: Task, scm: Scm, descriptors: Any) -> None:
    """Take references of the files to send (``scm_fp_copy()``)."""
    if not descriptors:
        return
    if len(descriptors) > SCM_MAX_FD or len(scm.fp) + len(descriptors) > SCM_MAX_FD:
        raise Errno("EINVAL")
    for fd in descriptors:
        file = task.files.get(fd)
        file.count += 1
        scm.fp.append(file)


def scm_check_creds(task: Task, data: Mapping[str, Any]) -> None:
    """Allow to claim only what one could become (``scm_check_creds()``)."""
    cred = task.cred
    uid, gid = data["uid"], data["gid"]
    if INVALID_ID in (uid, gid):
        raise Errno("EINVAL")
    own = data["pid"] in (task.process.name, task.process.pid)
    if not (
        (own or cred.capable("CAP_SYS_ADMIN"))
        and (uid in (cred.uid, cred.euid, cred.suid) or cred.capable("CAP_SETUID"))
        and (gid in (cred.gid, cred.egid, cred.sgid) or cred.capable("CAP_SETGID"))
    ):
        raise Errno("EPERM")


def unix_scm_to_skb(task: Task, kernel: Kernel, scm: Scm, skb: SkBuff, send_fds: bool) -> None:
    """Put credentials and descriptors into a buffer (``unix_scm_to_skb()``, ``unix_attach_fds()``).

    :raises Errno: ETOOMANYREFS
    """
    skb.pid, skb.uid, skb.gid = scm.pid, scm.uid, scm.gid
    if scm.fp and send_fds:
        inflight = kernel.net.unix.inflight
        capable = task.cred.capable("CAP_SYS_RESOURCE") or task.cred.capable("CAP_SYS_ADMIN")
        if inflight.get(task.cred.uid, 0) > task.rlimit_nofile and not capable:
            raise Errno("ETOOMANYREFS")
        for file in scm.fp:
            file.count += 1
        skb.fp = list(scm.fp)


def maybe_add_creds(task: Task, skb: SkBuff, socket: Socket, other: Unix) -> None:
    """Add the sender's credentials where either end asks for them (``maybe_add_creds()``).

    An end that nobody accepted yet counts as asking (``unix_passcred_enabled()``).
    """
    if skb.pid is not None:
        return
    if "SOCK_PASSCRED" in socket.flags or other.socket is None or "SOCK_PASSCRED" in other.socket.flags:
        skb.pid, skb.uid, skb.gid = task.process.name, task.cred.uid, task.cred.gid


def scm_stat_add(task: Task, sk: Unix, skb: SkBuff) -> None:
    """Count what is in flight towards *sk* (``scm_stat_add()``, ``unix_add_edges()``)."""
    if skb.fp:
        sk.nr_fds += len(skb.fp)
        skb.fp_uid = task.cred.uid
        inflight = task.kernel.net.unix.inflight
        inflight[skb.fp_uid] = inflight.get(skb.fp_uid, 0) + len(skb.fp)
        ends = (file.private.sk for file in skb.fp if isinstance(file.private, Socket))
        task.kernel.net.unix.graph.add(skb, (end for end in ends if isinstance(end, Unix)), sk)


def scm_stat_del(kernel: Kernel, sk: Unix, skb: SkBuff) -> None:
    """Take it off the count (``scm_stat_del()``)."""
    if skb.fp:
        sk.nr_fds -= len(skb.fp)
        unix_del_edges(kernel, skb)


def unix_del_edges(kernel: Kernel, skb: SkBuff) -> None:
    """``unix_del_edges()``: the receiver's own count is left to ``scm_stat_del()``."""
    if skb.fp_uid is not None:
        kernel.net.unix.graph.remove(skb)
        kernel.net.unix.inflight[skb.fp_uid] -= len(skb.fp)
        skb.fp_uid = None


def unix_destruct_scm(task: Task, skb: SkBuff) -> None:
    """Let go of what travels in a buffer that is freed (``unix_destruct_scm()``)."""
    unix_del_edges(task.kernel, skb)
    files, skb.fp = skb.fp, []
    skb.pid = None
    for file in reversed(files):
        fput(task, file)


def unix_detach_fds(scm: Scm, skb: SkBuff) -> None:
    """Move a buffer's descriptors to the call that received it (``unix_detach_fds()``)."""
    scm.fp, skb.fp = skb.fp, []


def unix_peek_fds(scm: Scm, skb: SkBuff) -> None:
    """Give the call its own references of a buffer's descriptors (``unix_peek_fds()``)."""
    for file in skb.fp:
        file.count += 1
    scm.fp = list(skb.fp)


def scm_recv(task: Task, socket: Socket, msg: InMessage, scm: Scm) -> None:
    """Deliver control messages (``scm_recv()``)."""
    if msg.controllen is None:
        if "SOCK_PASSCRED" in socket.flags or scm.fp:
            msg.flags |= MSG_CTRUNC
        scm.destroy(task)
        return
    if "SOCK_PASSCRED" in socket.flags:
        _put_credentials(task.kernel, msg, scm)
    if scm.fp:
        scm_detach_fds(task, msg, scm)


def _put_credentials(kernel: Kernel, msg: InMessage, scm: Scm) -> None:
    """Deliver SCM_CREDENTIALS, cut off where there is no room (``put_cmsg()``)."""
    assert msg.controllen is not None
    room = msg.controllen
    if room < SIZEOF_CMSGHDR:
        msg.flags |= MSG_CTRUNC
        return
    uid = DEFAULT_OVERFLOWUID if scm.uid == INVALID_ID else scm.uid
    gid = DEFAULT_OVERFLOWUID if scm.gid == INVALID_ID else scm.gid
    sender: str | int = scm.pid or 0
    if isinstance(sender, str) and sender not in kernel.tasks and sender not in kernel.gone:
        sender = kernel.pid_of(sender)
    data: Any = {"pid": sender, "uid": uid, "gid": gid}
    if room < SIZEOF_CMSGHDR + SIZEOF_UCRED:
        msg.flags |= MSG_CTRUNC
        whole = struct.pack("<iII", kernel.pid_of(scm.pid) if scm.pid else 0, uid, gid)
        data = whole[: room - SIZEOF_CMSGHDR]
    _take(msg, {"cmsg_level": SOL_SOCKET, "cmsg_type": SCM_CREDENTIALS, "cmsg_data": data}, SIZEOF_UCRED)


def _take(msg: InMessage, message: dict[str, Any], length: int) -> None:
    assert msg.controllen is not None
    used = min(cmsg_space(length), msg.controllen)
    msg.control.append(message)
    msg.control_used += used
    msg.controllen -= used


def scm_detach_fds(task: Task, msg: InMessage, scm: Scm) -> None:
    """Give the receiver descriptors for as many files as fit (``scm_detach_fds()``)."""
    assert msg.controllen is not None
    room = 0 if msg.controllen <= SIZEOF_CMSGHDR else (msg.controllen - SIZEOF_CMSGHDR) // 4
    limit = min(room, len(scm.fp))
    received: list[int] = []
    for file in scm.fp[:limit]:
        try:
            fd = task.files.unused(task)
        except Errno:
            break
        file.count += 1
        task.files.install(fd, file, bool(msg.flags & MSG_CMSG_CLOEXEC))
        received.append(fd)
    if received:
        message = {"cmsg_level": SOL_SOCKET, "cmsg_type": SCM_RIGHTS, "cmsg_data": tuple(received)}
        _take(msg, message, 4 * len(received))
    if len(received) < len(scm.fp):
        msg.flags |= MSG_CTRUNC
    scm.destroy(task)
