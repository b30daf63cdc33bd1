"""What changed between kernels that the model must know: each difference once, with its source and how it is told.

The inspector reads them of a kernel (``ktrace/inspect/changes.py``), the model asks for them by name, annotations may
depend on them, and ``docs/kernels.md`` is written from them. Nothing here or there asks for a version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from ktrace.state.change import CHANGE, Change, change
from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a kernel has of the changes since Linux 6.1; ``None`` for what cannot be told of it.

    Sessions from before this was read have none of it: they could not be recorded on any other kernel than 6.1.
    """

    pipeanon_fops: bool | None = change(
        "pipe",
        "anonymous pipes have file operations of their own, and do not touch st_atime, st_mtime and st_ctime",
        before="they are like FIFOs, which still do",
        source="fs/pipe.c",
        function="fifo_pipe_read",
        since="6.15: 262b2fa99cbe",
        told="symbol pipeanon_fops",
        shown="pipe-stat",
    )
    pipe_write_whole: bool | None = change(
        "pipe",
        "a write that meets a bad address takes whole pages, or fails with EFAULT",
        before="what could be copied stays, and an empty buffer behind it",
        source="fs/pipe.c",
        function="anon_pipe_write",
        since="6.15: ee5eda8ea595",
        told="symbol pipeanon_fops, of the same series",
    )
    pipe_wakes_when_freed: bool | None = change(
        "pipe",
        (
            "a reader wakes writers, and sends them SIGIO, only when it freed a slot of a full ring; one "
            "that goes to sleep does neither"
        ),
        before="writers are woken by any reader of a ring that was full when it began",
        source="fs/pipe.c",
        function="anon_pipe_read",
        since="6.14: aaec5a95d596",
        told="symbol pipeanon_fops, of 6.15; where a kernel has neither that nor file.f_count, it cannot be told",
        shown="pipe-waits",
    )
    pipe_prealloc: bool | None = change(
        "pipe",
        "a pool of up to eight pages is filled before a write takes the lock, and cut to two after",
        before="one freed page is kept for the next write",
        source="fs/pipe.c",
        function="anon_pipe_prefill_and_lock",
        since="7.3: f7f4665dc520",
        told="member pipe_inode_info.prealloc",
        shown="pipe-basic",
        facts=("pipe.kept_pages", "pipe.own_pages"),
    )
    pipe_pseudo_edgetrigger: bool | None = change(
        "pipe",
        "only epoll with EPOLLET of a reader makes every later write wake readers",
        before="any poll() of either end does",
        source="fs/pipe.c",
        function="pipe_poll",
        since="7.3: f1cebdec9739",
        told="member pipe_inode_info.pseudo_edgetrigger",
    )
    pipe_size_unsigned_int: bool | None = change(
        "pipe",
        "F_SETPIPE_SZ and F_ADD_SEALS look at 32 bits of their argument",
        before="at all 64: more than 2 GiB is EINVAL",
        source="fs/pipe.c",
        function="pipe_fcntl",
        since="6.6: 515c5046650d; F_ADD_SEALS 6.5: f7b8f70ba44f",
        told="type of pipe_fcntl()'s argument; that of memfd_fcntl() became the same in the same series",
    )
    splice_to_socket: bool | None = change(
        "pipe",
        (
            "splice and sendfile to a socket are one sendmsg(MSG_SPLICE_PAGES) of up to 16 buffers: one "
            "splice() is one datagram, and nothing is merged into the last buffer of an AF_UNIX stream; where only "
            "empty buffers are left, errno is 512 (known bug splice-empty-errno-512)"
        ),
        before="each page goes by sendpage()",
        source="fs/splice.c",
        function="splice_to_socket",
        since="6.5: 2dc334f1a63a",
        told="no member proto_ops.sendpage",
    )
    splice_zero_pages: bool | None = change(
        "pipe",
        "holes of a file in tmpfs are spliced as the zero page, cut where pages end",
        before="as pages that are filled with zeros",
        source="mm/shmem.c",
        function="splice_zeropage_into_pipe",
        since="6.5: b81d7b89becc",
        told="symbol zero_pipe_buf_ops",
        shown="pipe-splice",
    )
    splice_failed_keeps_pos: bool | None = change(
        "pipe",
        "a splice() that fails leaves the file's offset alone",
        before="it writes the old offset back, over what others moved meanwhile",
        source="fs/splice.c",
        function="do_splice",
        since="between 6.6 and 6.12",
        told="struct vma_munmap_struct; where a kernel has neither that nor inode.i_ctime, it cannot be told",
    )
    eventfd_write_exact: bool | None = change(
        "file",
        "a write to an eventfd has 8 bytes, no more",
        before="what is behind the 8th byte is ignored",
        source="fs/eventfd.c",
        function="eventfd_write",
        since="6.9: d31563b5f9bb",
        told="inet_stream_ops.set_peek_off, of 6.10; without that and mnt_namespace.list, it cannot be told",
    )
    select_negative: bool | None = change(
        "file",
        "select() with a negative tv_sec or tv_usec is EINVAL",
        before="a negative tv_usec is carried over",
        source="fs/select.c",
        function="kern_select",
        since="7.1: 859c199bb3a9",
        told="member file_system_type.list; where a kernel has neither that nor ns_common.count, it cannot be told",
    )
    epoll_wait_fd_first: bool | None = change(
        "file",
        "epoll_wait() of a bad descriptor with bad arguments is EBADF",
        before="EINVAL or EFAULT",
        source="fs/eventpoll.c",
        function="do_epoll_wait",
        since="6.15: 6b47d35d4d9e",
        told="symbol epoll_sendevents, of the same series",
    )
    epoll_ioctl: bool | None = change(
        "file",
        "an ioctl() of an epoll set that it does not know is EINVAL; EPIOCSPARAMS and EPIOCGPARAMS are known",
        before="ENOTTY",
        source="fs/eventpoll.c",
        function="ep_eventpoll_ioctl",
        since="6.9: 18e2bf0edf4d",
        told="symbol ep_eventpoll_ioctl",
        shown="pipe-epoll",
    )
    vms_gather_munmap_vmas: bool | None = change(
        "ipc",
        "shmat(SHM_REMAP) over a part of the kernel's own mappings is EINVAL",
        before="ENOMEM",
        source="mm/vma.c",
        function="vms_gather_munmap_vmas",
        since="6.12: c7c0c3c30f4e",
        told="struct vma_munmap_struct",
    )
    vma_longer_with_close: bool | None = change(
        "ipc",
        "mremap(), mprotect() of an attached segment make a neighbour longer, where the pages follow: no attach counts",
        before="each is a mapping of its own",
        source="mm/vma.c",
        function="vma_merge_new_range",
        since="6.12: cacded5e42b9; in part 6.4: 714965ca8252",
        told="struct vma_munmap_struct; where a kernel has that not, but vm_area_struct.__vm_flags, it cannot be told",
        shown="shm-mremap",
    )
    init_ns_uncounted: bool | None = change(
        "ipc",
        "references to the initial namespaces are not counted",
        before="they are",
        source="include/linux/ns_common.h",
        function="__ns_ref_get",
        since="6.19: 657aeb436d70",
        told="enumerator NS_LAST_INIT_ID, of the same series",
        shown="ipc-namespaces",
    )
    udp_custom_sockopt: bool | None = change(
        "structures",
        "UDP sockets carry SOCK_CUSTOM_SOCKOPT",
        before="they do not",
        source="include/net/udp.h",
        function="udp_lib_init_sock",
        since="6.2: 8a3854c7b8e4",
        told="member udp_sock.forward_threshold, of the same commit",
        shown="udp-loopback",
    )
    udp_drops_unless_empty: bool | None = change(
        "socket",
        "UDP drops a packet that does not fit into the receive buffer unless the queue is empty",
        before="unless the queue is larger than the buffer already",
        source="net/ipv4/udp.c",
        function="__udp_enqueue_schedule_skb",
        since="6.18: 9aaec660b5be",
        told="member udp_sock.udp_prod_queue, of the same release",
    )
    cork_keeps_tos: bool | None = change(
        "socket",
        "a datagram that is held back (MSG_MORE, UDP_CORK) has the IP_TOS that its socket had when it was begun",
        before="the one that it has when it is sent",
        source="include/net/ip.h",
        function="ipcm_init_sk",
        since="between 6.12 and 7.2",
        told="no function get_rttos(), inlined or not: it was gone with the same change",
        shown="udp-held-tos",
    )
    tcp_peek_off: bool | None = change(
        "socket",
        "SO_PEEK_OFF is known to TCP",
        before="EOPNOTSUPP",
        source="net/ipv4/tcp.c",
        function="tcp_recvmsg_locked",
        since="6.10: 05ea491641d3",
        told="inet_stream_ops.set_peek_off",
    )
    ip6_flow_in_cork: bool | None = change(
        "socket",
        (
            "connect() of an IPv6 datagram socket leads what MSG_MORE or UDP_CORK holds back to the new peer, even if "
            "it fails (known bug udp6-cork-connect); IPv4 always did"
        ),
        before="it goes where it was begun for",
        source="net/ipv6/datagram.c",
        function="ip6_datagram_dst_update",
        since="7.0: 4e6c91cf60f2",
        told="member ipv6_pinfo.final, of the same series",
        shown="udp-held-connect",
    )
    tcp_connect_bind: bool | None = change(
        "structures",
        "a port that connect() chose is marked SOCK_CONNECT_BIND in sk_userlocks",
        before="it is not",
        source="net/ipv4/inet_hashtables.c",
        function="__inet_hash_connect",
        since="6.18: d57f4b874946",
        told="member inet_timewait_sock.tw_connect_bind",
        shown="tcp-loopback",
    )
    busy_poll_for_all: bool | None = change(
        "socket",
        "SO_BUSY_POLL may be raised without CAP_NET_ADMIN",
        before="EPERM",
        source="net/core/sock.c",
        function="sk_setsockopt",
        since="6.7: 2a4319cf3c83",
        told="no member mnt_namespace.list, gone by 6.8; where there is that, but not inode.i_ctime, it cannot be told",
    )
    txrehash_tcp_only: bool | None = change(
        "socket",
        "SO_TXREHASH is for TCP only, else EOPNOTSUPP",
        before="for every socket",
        source="net/core/sock.c",
        function="sk_setsockopt",
        since="6.16: ae4f2f59e1f9",
        told="member sock.sk_scm_recv_flags, of the same series",
    )
    scm_flags_in_sock: bool | None = change(
        "socket",
        (
            "SO_PASSCRED is for AF_UNIX and AF_NETLINK only, SO_PASSSEC as well, and only with "
            "CONFIG_SECURITY_NETWORK: else EOPNOTSUPP; AF_UNIX has SO_PASSRIGHTS"
        ),
        before="for every socket",
        source="net/core/sock.c",
        function="sk_may_scm_recv",
        since="6.16: 0e81cfd971dc",
        told="member sock.sk_scm_recv_flags",
    )
    unix_socket_state: bool | None = change(
        "structures",
        "AF_UNIX leaves socket.state at SS_UNCONNECTED",
        before="a connected socket is SS_CONNECTED",
        source="net/unix/af_unix.c",
        function="unix_stream_connect",
        since="7.2: ed9ea881746b",
        told="whether the code of unix_socketpair() stores SS_CONNECTED",
        shown="unix-stream",
    )
    unix_custom_sockopt: bool | None = change(
        "structures",
        "AF_UNIX sockets carry SOCK_CUSTOM_SOCKOPT",
        before="they do not",
        source="net/unix/af_unix.c",
        function="unix_create",
        since="7.3",
        told="member unix_sock.scm_rights_notrunc, of the option that needs it",
        shown="unix-dgram",
    )
    unix_stream_custom_sockopt: bool | None = change(
        "structures",
        "AF_UNIX streams carry SOCK_CUSTOM_SOCKOPT",
        before="they do not",
        source="net/unix/af_unix.c",
        function="unix_create",
        since="6.17: df30285b3670",
        told="member unix_sock.recvmsg_inq, of the option that needs it",
        shown="unix-stream",
    )
    unix_oob_holes: bool | None = change(
        "socket",
        (
            "an out-of-band byte that was read leaves its empty buffer in the queue: a read stops there, "
            "SIOCATMARK says so, and a byte behind it is skipped"
        ),
        before="the next read removes it and waits for more",
        source="net/unix/af_unix.c",
        function="manage_oob",
        since="6.10 to 6.12: 93c99f21db36 to 5aa57d9f2d53",
        told="struct vma_munmap_struct; where a kernel has neither that nor proto_ops.sendpage, it cannot be told",
        shown="socket-oob",
    )
    unix_scc_unique: bool | None = change(
        "socket",
        "sockets that only travel towards each other are collected, whichever way they do",
        before="of some nobody ever thinks that they are (known bug unix-gc-forgets)",
        source="net/unix/garbage.c",
        function="__unix_walk_scc",
        since="between 6.13 and 7.3",
        told="whether unix_scc_dead() has one parameter, as it marks nothing any more",
        shown="unix-gc-forgets",
    )
    unix_inq_len: bool | None = change(
        "socket",
        (
            "FIONREAD of an AF_UNIX stream is a count that is kept, from which an out-of-band byte that is "
            "skipped is not taken (known bug unix-fionread-oob)"
        ),
        before="the queue is summed up",
        source="net/unix/af_unix.c",
        function="unix_inq_len",
        since="6.17: f4e1fb04c123",
        told="member unix_sock.inq_len",
    )
    write_faults_late: bool | None = change(
        "file",
        "a write from a bad address fails, or ends, once the page that it was to go to is there",
        before="it looks at the address before it takes a page",
        source="mm/filemap.c",
        function="generic_perform_write",
        since="6.14: 665575cff098",
        told="symbol pipeanon_fops; where a kernel has neither that nor file.f_count, it cannot be told",
        shown="file-bad-write",
    )
    shmem_mmap_prepare: bool | None = change(
        "file",
        "a file hears of a mapping before neighbours are joined: one that makes another longer is an access too",
        before="a file does not hear of a mapping that makes the one beside it longer",
        source="mm/shmem.c",
        function="shmem_mmap_prepare",
        since="between 6.17 and 7.2",
        told="symbol shmem_mmap_prepare",
        shown="file-mapping",
    )
    close_fput_sync: bool | None = change(
        "ways",
        "close() drops the file itself: if nobody else has it, it is released within the call",
        before="the last reference is dropped by a task work, on the way back to user space",
        source="fs/open.c",
        function="filp_flush",
        since="6.6: 021a160abf62",
        told="symbol filp_flush or file_close_fd; where a kernel has neither that nor inode.i_ctime, it cannot be told",
        shown="pipe-basic",
    )
    unix_dgram_allocates_first: bool | None = change(
        "socket",
        (
            "a datagram is put together before a socket without a peer is found to have none: ENOTCONN frees it "
            "again, which wakes writers, and EPOLLOUT|EPOLLET gets an event (known bug unix-epollout-failed-send)"
        ),
        before="it fails first",
        source="net/unix/af_unix.c",
        function="unix_dgram_sendmsg",
        since="6.14: 62c6db251e66",
        told="member sockcm_cookie.priority, of the same release",
    )


def changes() -> Iterator[tuple[str, Change]]:
    """Yield every change with the name of its field."""
    for item in fields(Changes):
        yield item.name, item.metadata[CHANGE]
