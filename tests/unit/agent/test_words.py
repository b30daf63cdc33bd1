"""The words that scripts may use against those of the headers: what the manual pages name, a script may write."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from ktrace.agent.syscalls import LIBRARY_NAMES, SIGNATURES, find_signature, format_call, make_call
from ktrace.agent.syscalls.constants import CONSTANTS
from ktrace.uapi.errno import ERRNO_NUMBERS

FAMILIES = {
    "fcntl.h": "O_ F_ FD_ AT_ DN_ S_I",
    "sys/mman.h": "PROT_ MAP_ MS_ MADV_ MREMAP_ MCL_ MLOCK_ MFD_",
    "sys/socket.h": "AF_ PF_ SOCK_ SO_ SOL_ MSG_ SCM_ SHUT_ SOMAXCONN",
    "netinet/in.h": "IPPROTO_ IP_ INADDR_ IPV6_ MCAST_",
    "sys/resource.h": "RLIMIT_ RLIM_ PRIO_ RUSAGE_",
    "signal.h": "SA_ SIG",
    "sched.h": "CLONE_ SCHED_",
    "sys/stat.h": "S_I",
    "sys/epoll.h": "EPOLL",
    "poll.h": "POLL",
    "sys/eventfd.h": "EFD_",
    "sys/timerfd.h": "TFD_",
    "sys/signalfd.h": "SFD_",
    "sys/inotify.h": "IN_",
    "sys/wait.h": "W P_ __W",
    "time.h": "CLOCK_ TIMER_ ITIMER_",
    "sys/ipc.h": "IPC_",
    "sys/sem.h": "SEM_ GET SET",
    "sys/shm.h": "SHM_",
    "sys/msg.h": "MSG_",
    "errno.h": "E",
    "linux/close_range.h": "CLOSE_RANGE_",
    "linux/netlink.h": "NETLINK_ NLM_F_",
    "linux/if_packet.h": "PACKET_",
    "linux/if_ether.h": "ETH_P_",
    "linux/prctl.h": "PR_",
    "linux/memfd.h": "MFD_",
    "linux/sockios.h": "SIOC",
    "sys/file.h": "LOCK_",
    "sys/ioctl.h": "TIOC TC FIO SIOC",
    "netinet/ip.h": "IPTOS_ IPOPT_ IPDEFTTL IPVERSION",
    "netinet/tcp.h": "TCP_",
    "linux/icmp.h": "ICMP_",
    "linux/icmpv6.h": "ICMPV6_ MLD2_",
    "linux/if.h": "IFF_ IFNAMSIZ",
    "linux/rtnetlink.h": "RTM_ RTMGRP_ RTNLGRP_ RTA_ RTN_ RTPROT_ RT_SCOPE_ RT_TABLE_",
    "linux/fs.h": "RWF_ FS_ FI BLK RENAME_",
    "linux/falloc.h": "FALLOC_FL_",
    "linux/errqueue.h": "SO_EE_ SCM_TSTAMP_",
    "linux/stat.h": "STATX_",
    "linux/limits.h": "ARG_MAX LINK_MAX MAX_ NAME_MAX PATH_MAX PIPE_BUF XATTR_",
    "linux/msg.h": "MSG",
    "linux/sem.h": "SEM",
    "linux/shm.h": "SHM",
    "asm-generic/siginfo.h": "SI_ SIGEV_ ILL_ FPE_ SEGV_ BUS_ TRAP_ CLD_ POLL_",
}
"""Beginnings of words by header."""

LEFT_OUT = {
    "of the C library alone": r"S_IREAD|S_IWRITE|S_IEXEC|F_OK|F_U?LOCK|F_TLOCK|F_TEST|SIG_HOLD|"
    r"SIG_ATOMIC\w*|SIGEV_\w+|SIGSTKSZ|SIG_ERR|MAP_FAILED|SA_STACK|SA_INTERRUPT|SCHED_OTHER|SCHED_ISO|POLL_\w+|RLIM_SAVED_\w+|"
    r"RLIMIT_OFILE|RUSAGE_LWP|EXIT_\w+|(AF|PF|RTMGRP|RTNLGRP)_DECnet\w*|"
    r"__WCOREFLAG|__W_CONTINUED|__W(CHAR|INT)_\w+|__WORDSIZE\w*|W(EXITSTATUS|TERMSIG|STOPSIG|IF\w+|COREDUMP)|WAIT_\w+|WCOREFLAG|IPV6_RTHDR_\w+|"
    r"IP_MAX_MEMBERSHIPS|IP_PMTUDISC|IPV6_(JOIN|LEAVE)_GROUP|IPV6_RX\w+OPTS|INADDR_\w+_INIT|EXTA|EXTB|SCM_SRCRT|"
    r"MSG_(TRYHARD|PROXY|BATCH)|IPOPT_(DEBMEAS|SATID|SECUR\w+)|TCP_(COOKIE_\w+|MAXWIN|MSS|MAX_WINSHIFT|S_DATA_\w+|KEY)|F_\w+64|SEM_VALUE_MAX|WNOHANG_|AT_HWCAP\w*|MAP_ABOVE4G|W(INT|CHAR)\w*|WORD\w*|WEOF",
    "a size, a mask or a number of them": r"\w+_(MAX|MASK|SHIFT|NLIMITS)|SI_MAX_SIZE|"
    r"O_ACCMODE|MAP_TYPE|S_IFMT|SOCK_TYPE_MASK|"
    r"SIGRT\w+|F_LINUX_SPECIFIC_BASE|RLIM_NLIMITS|AT_STATX_\w+|IP_DEFAULT_\w+|PACKET_(KERNEL|USER)",
    "a macro with arguments": r"MLD2_ALL_MCR_INIT|S_IS\w+|SIGRTMIN|SIGRTMAX|WAIT_INT|IPTOS_CLASS",
    "of a call that ktrace does not speak": r"SOCK_TXREHASH_\w+|SOCK_\w+BUF_LOCK|"
    r"EPOLL_\w+|EPIOC\w+|"
    r"SHM_(STAT|INFO)_\w+|MADV_GUARD\w*|(MSG|SEM|SHM)(CTL|GET|RCV|SND|OP|AT|DT|TIMEDOP)|FS_MAX_KEY_SIZE|FS_(IOC_\w*)?(ENCRYPTION|KEY|POLICY|VERITY)_\w+|FS_IOC32_\w+|"
    r"FS_IOC_(ENABLE|MEASURE|READ)_VERITY\w*|BLKTRACESETUP",
    "no number": r"SIGNAL_\w*|SIG_?$|EOF|E[A-Z]+_H|EWW|EXEC\w+|ERANGE_|PF_UNSPEC_|PF_MAX|AF_MAX|ENVIRON\w*|ELAST",
}
"""What is left out, and why; a word that a header comes to have besides is asked for once."""


@pytest.mark.parametrize("header", FAMILIES)
def test_scripts_know_the_words_of_the_headers(header: str) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    source = f"#include <{header}>\n"
    command = ["gcc", "-E", "-dM", "-D_GNU_SOURCE", "-"]
    text = subprocess.run(command, input=source, capture_output=True, text=True, timeout=60, check=True).stdout
    beginnings = tuple(FAMILIES[header].split())
    known = {*CONSTANTS, *ERRNO_NUMBERS}
    words = {word for word in re.findall(r"#define (\w+) +\S", text) if word.startswith(beginnings)}
    reasons = "|".join(LEFT_OUT.values())
    missing = {word for word in words - known if not re.fullmatch(reasons, word)}
    assert not missing


@pytest.mark.parametrize(
    "word",
    ["O_ASYNC", "EWOULDBLOCK", "PROT_NONE", "INADDR_LOOPBACK", "F_WRLCK", "SIGPOLL", "MAP_ANON", "CLONE_IO", "PF_UNIX"],
)
def test_words_that_were_asked_for_are_there(word: str) -> None:
    assert word in CONSTANTS or word in ERRNO_NUMBERS


@pytest.mark.parametrize(("word", "name"), sorted(LIBRARY_NAMES.items()))
def test_calls_go_by_the_names_of_the_manual_pages_too(word: str, name: str) -> None:
    entry = find_signature(word)
    assert entry is not None
    assert entry.name == name
    assert find_signature(name) is entry
    assert word not in SIGNATURES


def test_a_call_is_shown_by_the_kernels_name() -> None:
    assert make_call("pread", 0, 3, 1) == make_call("pread64", 0, 3, 1)
    assert format_call(make_call("pwrite", 0, b"x", 1, 2)) == 'pwrite64(0, "x", 1, 2)'
