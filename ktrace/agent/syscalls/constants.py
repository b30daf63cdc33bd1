"""The names that each argument of a system call may be written with; the numbers are those of :mod:`ktrace.uapi`.

``CONSTANTS`` holds all of them by name, for scripts.
"""

from __future__ import annotations

from types import MappingProxyType

from ktrace.agent.syscalls.vocabulary import Vocabulary, choice, flags
from ktrace.include.asm import page_types, shmparam
from ktrace.include.linux import fs as linux_fs
from ktrace.include.linux import net
from ktrace.include.linux.stat import S_IALLUGO, S_IRWXUGO
from ktrace.include.net import udplite
from ktrace.uapi import (
    close_range,
    errqueue,
    eventfd,
    eventpoll,
    falloc,
    fcntl,
    fs,
    icmp,
    icmpv6,
    if_,
    if_ether,
    if_packet,
    in6,
    in_,
    inotify,
    ioctls,
    ip,
    ipc,
    ipv6,
    limits,
    memfd,
    mman,
    msg,
    netlink,
    pidfd,
    poll,
    prctl,
    resource,
    rtnetlink,
    sched,
    sem,
    shm,
    siginfo,
    signal,
    signalfd,
    socket,
    sockios,
    splice,
    stat,
    tcp,
    termios,
    time,
    timerfd,
    udp,
    uio,
    un,
    wait,
    watch_queue,
)
from ktrace.uapi.named import everything, family, numbers

OPEN = Vocabulary(
    choices=numbers(fcntl, "O_RDONLY O_WRONLY O_RDWR"),
    mask=fcntl.O_ACCMODE,
    flags=numbers(
        fcntl,
        "O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DSYNC FASYNC O_DIRECT O_LARGEFILE O_DIRECTORY "
        "O_NOFOLLOW O_NOATIME O_CLOEXEC O_SYNC O_PATH O_TMPFILE",
    ),
)
PIPE = flags(numbers(fcntl, "O_NONBLOCK O_DIRECT O_CLOEXEC"), numbers(watch_queue, "O_NOTIFICATION_PIPE"))
DUP = flags(numbers(fcntl, "O_CLOEXEC"))
MODE = Vocabulary(octal=S_IALLUGO)
FILE_MODE = Vocabulary(choices=family(stat, "S_IF", but="S_IFMT"), mask=stat.S_IFMT, octal=S_IALLUGO)
AT = flags(numbers(fcntl, "AT_SYMLINK_NOFOLLOW AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH"))
FACCESS_AT = flags(numbers(fcntl, "AT_SYMLINK_NOFOLLOW AT_EACCESS AT_EMPTY_PATH"))
UNLINK_AT = flags(numbers(fcntl, "AT_REMOVEDIR"))
RENAME = flags(family(fs, "RENAME_"))
ACCESS = flags({"R_OK": linux_fs.MAY_READ, "W_OK": linux_fs.MAY_WRITE, "X_OK": linux_fs.MAY_EXEC})
WHENCE = choice(family(fs, "SEEK_", but="SEEK_MAX"))
CLOSE_RANGE = flags(family(close_range, "CLOSE_RANGE_"))
MEMFD = flags(family(memfd, "MFD_", but="MFD_HUGE_"))
FCNTL = choice(family(fcntl, "F_", but="F_OWNER_ F_SEAL_ F_LINUX_ F_RDLCK F_WRLCK F_UNLCK F_EXLCK F_SHLCK"))
FD = flags(numbers(fcntl, "FD_CLOEXEC"))
OWNER = choice(family(fcntl, "F_OWNER_"))
IOCTL = choice(
    numbers(ioctls, "FIONREAD TIOCOUTQ FIONBIO FIOASYNC FIOCLEX FIONCLEX FIOQSIZE TCGETS"),
    numbers(sockios, "SIOCATMARK SIOCSPGRP SIOCGPGRP FIOSETOWN FIOGETOWN SIOCOUTQNSD"),
    family(watch_queue, "IOC_WATCH_QUEUE_"),
    numbers(un, "SIOCUNIXFILE"),
)
POLL = flags(family(poll, "POLL", but="POLLREMOVE POLLFREE POLL_"))
EPOLL = flags(family(eventpoll, "EPOLL", but="EPOLL_ EPOLLNVAL"))
EVENTFD = flags(numbers(eventfd, "EFD_SEMAPHORE EFD_CLOEXEC EFD_NONBLOCK"))
TIMERFD = flags(numbers(timerfd, "TFD_CLOEXEC TFD_NONBLOCK"))
TIMERFD_SETTIME = flags(numbers(timerfd, "TFD_TIMER_ABSTIME TFD_TIMER_CANCEL_ON_SET"))
SIGNALFD = flags(family(signalfd, "SFD_"))
PIDFD = flags(family(pidfd, "PIDFD_"))
INOTIFY_INIT = flags(numbers(inotify, "IN_CLOEXEC IN_NONBLOCK"))
INOTIFY = flags(family(inotify, "IN_", but="IN_CLOEXEC IN_NONBLOCK"))
EPOLL_CREATE = flags(numbers(eventpoll, "EPOLL_CLOEXEC"))
EPOLL_CTL = choice(family(eventpoll, "EPOLL_CTL_"))
SPLICE = flags(family(splice, "SPLICE_F_", but="SPLICE_F_ALL"))

PROT = Vocabulary(choices=numbers(mman, "PROT_NONE"), mask=-1, flags=family(mman, "PROT_", but="PROT_NONE"))
MAP = Vocabulary(
    choices=numbers(mman, "MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE"),
    mask=mman.MAP_TYPE,
    flags=family(mman, "MAP_", but="MAP_SHARED MAP_PRIVATE MAP_TYPE MAP_FILE MAP_HUGE_"),
)
MSYNC = flags(family(mman, "MS_"))
MADVICE = choice(family(mman, "MADV_"))
MREMAP = flags(family(mman, "MREMAP_"))

RLIMIT = choice(family(resource, "RLIMIT_"))
CLONE = flags(family(sched, "CLONE_", but="CLONE_ARGS_"))
SIGNAL = choice({name: number for number, name in signal.SIGNAL_NAMES.items() if name not in ("SIG32", "SIG33")})
SA = flags(numbers(signal, "SA_NOCLDSTOP SA_NOCLDWAIT SA_SIGINFO SA_ONSTACK SA_RESTART SA_NODEFER SA_RESETHAND"))
SIGMASK_HOW = choice(numbers(signal, "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK"))
WAIT = flags(family(wait, "W", but="WUNTRACED"), family(wait, "__W"))
IDTYPE = choice(family(wait, "P_"))
TIMER_FLAGS = flags(numbers(time, "TIMER_ABSTIME"))
CLOCK = choice(family(time, "CLOCK_", but="CLOCK_SGI_CYCLE"))
ITIMER = choice(family(time, "ITIMER_"))
PRCTL = choice(
    family(prctl, "PR_SET_", but="PR_SET_MM_ PR_SET_PTRACER_ PR_SET_VMA_"),
    family(prctl, "PR_GET_"),
    family(prctl, "PR_CAPBSET_"),
    numbers(prctl, "PR_CAP_AMBIENT PR_MCE_KILL PR_MCE_KILL_GET PR_SCHED_CORE"),
)

KEY = choice(numbers(ipc, "IPC_PRIVATE"))
IPC_FLAGS = numbers(ipc, "IPC_CREAT IPC_EXCL IPC_NOWAIT")
SEMGET = MSGGET = Vocabulary(flags=IPC_FLAGS, octal=S_IRWXUGO)
SHMGET = Vocabulary(
    flags=IPC_FLAGS | numbers(shm, "SHM_HUGETLB SHM_NORESERVE SHM_HUGE_2MB SHM_HUGE_1GB"), octal=S_IRWXUGO
)
SEMOP = flags(numbers(ipc, "IPC_NOWAIT"), numbers(sem, "SEM_UNDO"))
MSGSND = flags(numbers(ipc, "IPC_NOWAIT"))
MSGRCV = flags(numbers(ipc, "IPC_NOWAIT"), numbers(msg, "MSG_NOERROR MSG_EXCEPT MSG_COPY"))
SHMAT = flags(numbers(shm, "SHM_RDONLY SHM_RND SHM_REMAP SHM_EXEC"))
IPC_COMMANDS = numbers(ipc, "IPC_RMID IPC_SET IPC_STAT IPC_INFO")
SEMCTL = choice(
    IPC_COMMANDS,
    numbers(sem, "GETPID GETVAL GETALL GETNCNT GETZCNT SETVAL SETALL SEM_STAT SEM_INFO SEM_STAT_ANY"),
)
MSGCTL = choice(IPC_COMMANDS, numbers(msg, "MSG_STAT MSG_INFO MSG_STAT_ANY"))
SHMCTL = choice(IPC_COMMANDS, numbers(shm, "SHM_LOCK SHM_UNLOCK SHM_STAT SHM_INFO SHM_STAT_ANY"))
SEG_MODE = Vocabulary(flags=numbers(shm, "SHM_DEST SHM_LOCKED"), octal=S_IRWXUGO)

FAMILY = choice(family(socket, "AF_", but="AF_LOCAL AF_FILE AF_ROUTE"))
SOCKET_TYPE = Vocabulary(
    choices=numbers(socket, "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET SOCK_DCCP SOCK_PACKET"),
    mask=net.SOCK_TYPE_MASK,
    flags=numbers(socket, "SOCK_NONBLOCK SOCK_CLOEXEC"),
)
ACCEPT = flags(numbers(socket, "SOCK_NONBLOCK SOCK_CLOEXEC"))
PROTOCOL = choice(family(in_, "IPPROTO_"), numbers(in6, "IPPROTO_ICMPV6"))
MSG = flags(family(socket, "MSG_"))
SHUTDOWN = choice(family(socket, "SHUT_"))
LEVEL = choice(family(socket, "SOL_"))
SO = choice(
    family(
        socket,
        "SO_",
        but="SO_RCVTIMEO_OLD SO_SNDTIMEO_OLD SO_TIMESTAMP_OLD SO_TIMESTAMPNS_OLD SO_TIMESTAMPING_OLD SO_DETACH_BPF "
        "SO_GET_FILTER",
    )
)
TCP = choice(
    family(
        tcp,
        "TCP_",
        but="TCP_MSS_ TCP_CA_ TCP_CM_INQ TCP_DATA_OFFSET TCP_FLAG_ TCP_MD5SIG_FLAG_ TCP_MD5SIG_MAXKEYLEN TCP_NLA_ "
        "TCP_NO_QUEUE TCP_QUEUES_NR TCP_RECEIVE_ZEROCOPY_FLAG_ TCP_RECV_QUEUE TCP_REPAIR_ON TCP_REPAIR_OFF "
        "TCP_RESERVED_BITS TCP_SEND_QUEUE",
    )
)
UDP = choice(family(udp, "UDP_", but="UDP_ENCAP_"))
IP = choice(family(in_, "IP_", but="IP_PMTUDISC_ IP_ORIGDSTADDR IP_RECVRETOPTS IP_DEFAULT_"))
IPV6 = choice(
    family(
        in6,
        "IPV6_",
        but="IPV6_PMTUDISC_ IPV6_PREFER_ IPV6_FLOWINFO_FLOWLABEL IPV6_FLOWINFO_PRIORITY "
        "IPV6_JOIN_GROUP IPV6_LEAVE_GROUP IPV6_RX IPV6_AUTHHDR IPV6_NEXTHOP IPV6_FL_ IPV6_ORIGDSTADDR IPV6_PRIORITY_ "
        "IPV6_TLV_",
    )
)
SCM = choice(numbers(socket, "SCM_RIGHTS SCM_CREDENTIALS SCM_SECURITY"))
RAW = choice(numbers(icmp, "ICMP_FILTER"))
ICMPV6 = choice(numbers(icmpv6, "ICMPV6_FILTER"))
NETLINK = choice(
    numbers(
        netlink,
        "NETLINK_ADD_MEMBERSHIP NETLINK_DROP_MEMBERSHIP NETLINK_PKTINFO NETLINK_BROADCAST_ERROR NETLINK_NO_ENOBUFS "
        "NETLINK_LISTEN_ALL_NSID NETLINK_LIST_MEMBERSHIPS NETLINK_CAP_ACK NETLINK_EXT_ACK NETLINK_GET_STRICT_CHK",
    )
)
OPTIONS = {
    socket.SOL_IP: IP,
    socket.SOL_SOCKET: SO,
    socket.SOL_TCP: TCP,
    socket.SOL_UDP: UDP,
    socket.SOL_IPV6: IPV6,
    socket.SOL_ICMPV6: ICMPV6,
    socket.SOL_RAW: RAW,
    socket.SOL_NETLINK: NETLINK,
}
"""Names of socket options by level."""

WHOLE = (
    *(fcntl, mman, memfd, fs, resource, sched, stat, shm, sem, msg, ipc, in_, in6, netlink, if_ether, if_packet, icmp),
    *(limits, udp, prctl, socket, tcp, time, wait, poll, eventpoll, splice, close_range, sockios, ioctls),
    *(
        eventfd,
        timerfd,
        signalfd,
        pidfd,
        inotify,
        errqueue,
        siginfo,
        icmpv6,
        ip,
        ipv6,
        if_,
        rtnetlink,
        falloc,
        uio,
        un,
        termios,
    ),
)
"""Headers all of whose constants scripts may name."""

OTHERS = (
    *map(everything, WHOLE),
    signal.SIGNAL_ALIASES,
    family(signal, "SA_"),
    numbers(wait, "WUNTRACED"),
    numbers(page_types, "PAGE_SIZE"),
    numbers(limits, "PIPE_BUF INT_MAX INT_MIN UINT_MAX LONG_MAX"),
    numbers(resource, "RLIM_INFINITY"),
    numbers(sem, "SEMVMX"),
    numbers(shmparam, "SHMLBA"),
    numbers(socket, "SOMAXCONN PF_UNIX PF_INET PF_INET6 PF_PACKET PF_NETLINK AF_LOCAL"),
    numbers(in_, "INADDR_ANY"),
    numbers(sockios, "SIOCINQ SIOCOUTQ"),
    numbers(stat, "S_IRUSR S_IWUSR S_IXUSR"),
    numbers(if_ether, "ETH_P_ALL ETH_P_IP"),
    numbers(netlink, "NETLINK_ROUTE NETLINK_USERSOCK NETLINK_SOCK_DIAG NETLINK_GENERIC"),
    numbers(signal, "SIG_DFL SIG_IGN"),
    numbers(udplite, "UDPLITE_SEND_CSCOV UDPLITE_RECV_CSCOV"),
    numbers(eventpoll, "EPOLLNVAL"),
    {"F_OK": 0},
    # semctl(2) has these two, no header has.
    {"SEM_A": stat.S_IWUSR, "SEM_R": stat.S_IRUSR},
)
"""Names that no argument is printed with."""


def _collect() -> dict[str, int]:
    found: dict[str, int] = {}
    tables = [*OTHERS, *(value.names() for value in globals().values() if isinstance(value, Vocabulary))]
    for table in tables:
        for name, number in table.items():
            if not name.isidentifier():  # SIGRTMIN+1: a sum
                continue
            if found.setdefault(name, number) != number:
                raise AssertionError(f"{name} has two values")
    return found


CONSTANTS = MappingProxyType(_collect())
