"""Structs of the x86-64 system call interface (include/uapi/, arch/x86/include/uapi/)."""

from __future__ import annotations

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.layout import Struct

TIMESPEC = Struct("timespec", ("tv_sec", "q"), ("tv_nsec", "q"))
TIMEVAL = Struct("timeval", ("tv_sec", "q"), ("tv_usec", "q"))
ITIMERVAL = Struct("itimerval", ("it_interval", TIMEVAL), ("it_value", TIMEVAL))
ITIMERSPEC = Struct("itimerspec", ("it_interval", TIMESPEC), ("it_value", TIMESPEC))
FILE_TIMES = Struct("timespec[2]", ("atime", TIMESPEC), ("mtime", TIMESPEC))
SIGEVENT = Struct(
    "sigevent", ("sigev_value", "Q"), ("sigev_signo", "i"), ("sigev_notify", "i"), ("tid", "i"), ("", "44x")
)
SIGINFO = Struct(
    "siginfo",
    ("si_signo", "i"),
    ("si_errno", "i"),
    ("si_code", "i"),
    ("", "4x"),
    ("si_pid", "i"),
    ("si_uid", "I"),
    ("si_value", "Q"),
    pids=["si_pid"],
)
"""The members that kill() and sigqueue() fill in."""
RLIMIT = Struct("rlimit", ("rlim_cur", "Q"), ("rlim_max", "Q"))
POLLFD = Struct("pollfd", ("fd", "i"), ("events", "H", c.POLL), ("revents", "H", c.POLL))
EPOLL_EVENT = Struct("epoll_event", ("events", "I", c.EPOLL), ("data", "Q"))
F_OWNER_EX = Struct("f_owner_ex", ("type", "i", c.OWNER), ("pid", "i"), pids=["pid"])
STAT = Struct(
    "stat",
    ("st_dev", "Q"),
    ("st_ino", "Q"),
    ("st_nlink", "Q"),
    ("st_mode", "I", c.FILE_MODE),
    ("st_uid", "I"),
    ("st_gid", "I"),
    ("", "4x"),
    ("st_rdev", "Q"),
    ("st_size", "q"),
    ("st_blksize", "q"),
    ("st_blocks", "q"),
    ("st_atime", "Q"),
    ("st_atime_nsec", "Q"),
    ("st_mtime", "Q"),
    ("st_mtime_nsec", "Q"),
    ("st_ctime", "Q"),
    ("st_ctime_nsec", "Q"),
    ("", "24x"),
)

IPC_PERM = Struct(
    "ipc64_perm",
    ("key", "i"),
    ("uid", "I"),
    ("gid", "I"),
    ("cuid", "I"),
    ("cgid", "I"),
    ("mode", "I", c.SEG_MODE),
    ("seq", "H"),
    ("", "22x"),
)
SEMBUF = Struct("sembuf", ("sem_num", "H"), ("sem_op", "h"), ("sem_flg", "h", c.SEMOP))
SEMID_DS = Struct(
    "semid64_ds",
    ("sem_perm", IPC_PERM),
    ("sem_otime", "q"),
    ("", "8x"),
    ("sem_ctime", "q"),
    ("", "8x"),
    ("sem_nsems", "Q"),
    ("", "16x"),
)
MSQID_DS = Struct(
    "msqid64_ds",
    ("msg_perm", IPC_PERM),
    ("msg_stime", "q"),
    ("msg_rtime", "q"),
    ("msg_ctime", "q"),
    ("msg_cbytes", "Q"),
    ("msg_qnum", "Q"),
    ("msg_qbytes", "Q"),
    ("msg_lspid", "i"),
    ("msg_lrpid", "i"),
    ("", "16x"),
    pids=["msg_lspid", "msg_lrpid"],
)
SHMID_DS = Struct(
    "shmid64_ds",
    ("shm_perm", IPC_PERM),
    ("shm_segsz", "Q"),
    ("shm_atime", "q"),
    ("shm_dtime", "q"),
    ("shm_ctime", "q"),
    ("shm_cpid", "i"),
    ("shm_lpid", "i"),
    ("shm_nattch", "Q"),
    ("", "16x"),
    pids=["shm_cpid", "shm_lpid"],
)


def _numbers(code: str, names: str) -> list[tuple[str, str]]:
    return [(name, code) for name in names.split()]


SEMINFO = Struct(
    "seminfo",
    *_numbers("i", "semmap semmni semmns semmnu semmsl semopm semume semusz semvmx semaem"),
)
MSGINFO = Struct(
    "msginfo",
    *_numbers("i", "msgpool msgmap msgmax msgmnb msgmni msgssz msgtql"),
    ("msgseg", "H"),
    ("", "2x"),
)
SHMINFO = Struct("shminfo64", *_numbers("Q", "shmmax shmmin shmmni shmseg shmall"), ("", "32x"))
SHM_INFO = Struct(
    "shm_info",
    ("used_ids", "i"),
    ("", "4x"),
    *_numbers("Q", "shm_tot shm_rss shm_swp swap_attempts swap_successes"),
)

UCRED = Struct("ucred", ("pid", "i"), ("uid", "I"), ("gid", "I"), pids=["pid"])
LINGER = Struct("linger", ("l_onoff", "i"), ("l_linger", "i"))
MSGHDR = Struct(
    "msghdr",
    ("msg_name", "Q"),
    ("msg_namelen", "i"),
    ("", "4x"),
    ("msg_iov", "Q"),
    ("msg_iovlen", "Q"),
    ("msg_control", "Q"),
    ("msg_controllen", "Q"),
    ("msg_flags", "I", c.MSG),
    ("", "4x"),
)
MMSGHDR = Struct("mmsghdr", ("msg_hdr", MSGHDR), ("msg_len", "I"), ("", "4x"))
CMSGHDR = Struct("cmsghdr", ("cmsg_len", "Q"), ("cmsg_level", "i"), ("cmsg_type", "i"))

_TCPI_BYTES = ("state", "ca_state", "retransmits", "probes", "backoff", "options", "wscale", "flags")
_TCPI_WORDS = (
    "rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets", "last_data_sent",
    "last_ack_sent", "last_data_recv", "last_ack_recv", "pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh",
    "snd_cwnd", "advmss", "reordering", "rcv_rtt", "rcv_space", "total_retrans",
)  # fmt: skip
_TCPI_SEGMENTS = ("segs_out", "segs_in", "notsent_bytes", "min_rtt", "data_segs_in", "data_segs_out")
TCP_INFO = Struct(
    "tcp_info",
    *[(f"tcpi_{name}", "B") for name in _TCPI_BYTES],
    *[(f"tcpi_{name}", "I") for name in _TCPI_WORDS],
    *[(f"tcpi_{name}", "Q") for name in ("pacing_rate", "max_pacing_rate", "bytes_acked", "bytes_received")],
    *[(f"tcpi_{name}", "I") for name in _TCPI_SEGMENTS],
    *[(f"tcpi_{name}", "Q") for name in ("delivery_rate", "busy_time", "rwnd_limited", "sndbuf_limited")],
    *[(f"tcpi_{name}", "I") for name in ("delivered", "delivered_ce")],
    *[(f"tcpi_{name}", "Q") for name in ("bytes_sent", "bytes_retrans")],
    *[(f"tcpi_{name}", "I") for name in ("dsack_dups", "reord_seen", "rcv_ooopack", "snd_wnd")],
)
"""As of Linux 5.4; later members are left out. *wscale* holds two numbers of four bits, *flags* three bits."""
