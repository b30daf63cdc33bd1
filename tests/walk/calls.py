"""How calls are made in the walk: as they are meant, with every name that they take, with numbers that they do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ktrace.agent.syscalls import SIGNATURES
from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import In
from ktrace.agent.syscalls.message import ReceivedMessages, SentMessage, SentMessages
from ktrace.agent.syscalls.parameter import Parameter
from ktrace.agent.syscalls.vocabulary import Vocabulary, choice
from tests.walk.subjects import FILES, SOCKETS

_FILE, _PIPE, _MEMFD, _DIRECTORY = FILES["file"], FILES["pipe"], FILES["memfd"], FILES["directory"]
_PAIR, _TCP, _UDP = SOCKETS["unix-stream"], SOCKETS["tcp"], SOCKETS["udp"]
_MAPPED = ("mmap(0x20000000, 16384, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0)",)
_BARE_SEMCTL = choice({name: number for name, number in c.SEMCTL.choices.items() if name != "GETALL"})
"""Commands whose argument may be left out."""

_SEM = ("semget(IPC_PRIVATE, 2, IPC_CREAT|0600) -> q",)
_MSG = ("msgget(IPC_PRIVATE, IPC_CREAT|0600) -> q", 'msgsnd(q, {1, "abc"})', 'msgsnd(q, {2, "de"})')
_SHM = ("shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) -> q",)

WITHOUT = (
    *("getuid", "geteuid", "getgid", "getegid", "getpid", "getppid", "getpgrp", "setsid", "gettid", "pause"),
    "sched_yield",
)
"""Calls without arguments."""

MEANT: Mapping[str, tuple[str, ...]] = {
    "read": (*_PIPE, "read(f, 2)"),
    "write": (*_PIPE, 'write(g, "x")'),
    "readv": (*_PIPE, "readv(f, [1, 5])"),
    "writev": (*_PIPE, 'writev(g, ["x", "yz"])'),
    "pread64": (*_FILE, "pread64(f, 3, 1)"),
    "pwrite64": (*_FILE, 'pwrite64(f, "xy", 2, 1)'),
    "preadv": (*_FILE, "preadv(f, [1, 2], 2, 1)"),
    "pwritev": (*_FILE, 'pwritev(f, ["a", "b"], 2, 1)'),
    "lseek": (*_FILE, "lseek(f, -1, SEEK_END)"),
    "close": (*_PIPE, "close(f)"),
    "close_range": (*_PIPE, "close_range(f, g)"),
    "dup": (*_PIPE, "dup(f)"),
    "dup2": (*_PIPE, "dup2(f, 9)"),
    "dup3": (*_PIPE, "dup3(f, 9, O_CLOEXEC)"),
    "fcntl": (*_PIPE, "fcntl(f, F_GETFD)"),
    "ioctl": (*_PIPE, "ioctl(f, FIONREAD)"),
    "poll": (*_PIPE, "poll([{f, POLLIN}, {g, POLLOUT}], 0)"),
    "ppoll": (*_PIPE, "ppoll([{f, POLLIN}], {0, 0}, NULL)"),
    "select": (*_PIPE, "select(9, [f], [g], NULL, {0, 0})"),
    "pselect6": (*_PIPE, "pselect6(9, [f], [g], NULL, {0, 0}, NULL)"),
    "epoll_create": ("epoll_create(1)",),
    "epoll_create1": ("epoll_create1(0)",),
    "epoll_ctl": (*_PIPE, "epoll_create1(0) -> e", "epoll_ctl(e, EPOLL_CTL_ADD, f, {events=EPOLLIN, data=7})"),
    "epoll_wait": (
        *(*_PIPE, "epoll_create1(0) -> e", "epoll_ctl(e, EPOLL_CTL_ADD, f, {events=EPOLLIN, data=7})"),
        "epoll_wait(e, 4, 0)",
    ),
    "epoll_pwait": ("epoll_create1(0) -> e", "epoll_pwait(e, 4, 0, 0x200)"),
    "eventfd": ("eventfd(2)",),
    "eventfd2": ("eventfd2(2, EFD_NONBLOCK) -> f", "read(f, 8)"),
    "timerfd_create": ("timerfd_create(CLOCK_MONOTONIC)",),
    "timerfd_settime": (*FILES["timerfd"], "timerfd_settime(f, 0, {{0, 0}, {1000, 0}})"),
    "timerfd_gettime": (*FILES["timerfd"], "timerfd_gettime(f)"),
    "signalfd4": ("signalfd4(-1, 0x200, 0)",),
    "inotify_init1": ("inotify_init1(0)",),
    "inotify_add_watch": (*FILES["inotify"], 'inotify_add_watch(f, "/tmp", IN_CREATE)'),
    "inotify_rm_watch": (*FILES["inotify"], 'inotify_add_watch(f, "/tmp", IN_CREATE) -> w', "inotify_rm_watch(f, w)"),
    "pidfd_open": ("pidfd_open(A)",),
    "pidfd_send_signal": (*FILES["pidfd"], "pidfd_send_signal(f, SIGUSR1)"),
    "stat": ('stat("/tmp")',),
    "fstat": (*_FILE, "fstat(f)"),
    "open": ('open("/tmp/w#", O_RDWR|O_CREAT, 0600)',),
    "openat": (*_DIRECTORY, 'openat(f, "new", O_RDWR|O_CREAT, 0600)'),
    "creat": ('creat("/tmp/w#", 0600)',),
    "memfd_create": ('memfd_create("m")',),
    "mknod": ('mknod("/tmp/w#", S_IFIFO|0600)',),
    "mkfifo": ('mkfifo("/tmp/w#", 0600)',),
    "mknodat": (*_DIRECTORY, 'mknodat(f, "n", S_IFIFO|0600)'),
    "unlink": (*_FILE, 'unlink("/tmp/w#")'),
    "mkdir": ('mkdir("/tmp/w#", 0700)',),
    "rmdir": (*_DIRECTORY, 'rmdir("/tmp/w#")'),
    "rename": (*_FILE, 'rename("/tmp/w#", "/tmp/v#")'),
    "truncate": (*_FILE, 'truncate("/tmp/w#", 3)'),
    "fsync": (*_FILE, "fsync(f)"),
    "fdatasync": (*_FILE, "fdatasync(f)"),
    "ftruncate": (*_FILE, "ftruncate(f, 3)"),
    "readlink": ('symlink("/tmp", "/tmp/w#")', 'readlink("/tmp/w#", 3)'),
    "chmod": (*_FILE, 'chmod("/tmp/w#", 0444)'),
    "fchmod": (*_FILE, "fchmod(f, 0444)"),
    "chown": (*_FILE, 'chown("/tmp/w#", 1, 2)'),
    "fchown": (*_FILE, "fchown(f, 1, 2)"),
    "umask": ("umask(027)",),
    "chdir": ('chdir("/tmp")',),
    "access": ('access("/tmp", R_OK|X_OK)',),
    "faccessat": (*_DIRECTORY, 'faccessat(f, ".", R_OK)'),
    "faccessat2": (*_DIRECTORY, 'faccessat2(f, "", R_OK, AT_EMPTY_PATH)'),
    "lstat": ('lstat("/tmp")',),
    "newfstatat": (*_DIRECTORY, 'newfstatat(f, "", AT_EMPTY_PATH)'),
    "symlink": ('symlink("/tmp", "/tmp/w#")',),
    "symlinkat": (*_DIRECTORY, 'symlinkat("/tmp", f, "l")'),
    "link": (*_FILE, 'link("/tmp/w#", "/tmp/v#")'),
    "linkat": (*_FILE, 'linkat(f, "", AT_FDCWD, "/tmp/v#", AT_EMPTY_PATH)'),
    "mkdirat": (*_DIRECTORY, 'mkdirat(f, "d", 0700)'),
    "unlinkat": (*_FILE, 'unlinkat(AT_FDCWD, "/tmp/w#")'),
    "renameat": (*_FILE, 'renameat(AT_FDCWD, "/tmp/w#", AT_FDCWD, "/tmp/v#")'),
    "renameat2": (*_FILE, 'renameat2(AT_FDCWD, "/tmp/w#", AT_FDCWD, "/tmp/v#", RENAME_NOREPLACE)'),
    "readlinkat": ('readlinkat(AT_FDCWD, "/proc/self/cwd", 50)',),
    "getcwd": ("getcwd(20)",),
    "fchdir": (*_DIRECTORY, "fchdir(f)"),
    "fchmodat": (*_FILE, 'fchmodat(AT_FDCWD, "/tmp/w#", 0400)'),
    "fchownat": (*_FILE, 'fchownat(AT_FDCWD, "/tmp/w#", 3, 3)'),
    "lchown": (*_FILE, 'lchown("/tmp/w#", 3, 3)'),
    "pipe": ("pipe([f, g])",),
    "pipe2": ("pipe2([f, g], O_NONBLOCK)",),
    "splice": (*_PIPE, "pipe([h, i])", "splice(f, NULL, i, NULL, 2)"),
    "tee": (*_PIPE, "pipe([h, i])", "tee(f, i, 2)"),
    "vmsplice": (*_MAPPED, 'store(0x20000000, "abc")', "pipe([f, g])", "vmsplice(g, [{0x20000000, 3}])"),
    "sendfile": (*_FILE, "pipe([h, i])", "sendfile(i, f, NULL, 2)"),
    "mmap": ("mmap(0x20000000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED)",),
    "munmap": (*_MAPPED, "munmap(0x20001000, 4096)"),
    "mprotect": (*_MAPPED, "mprotect(0x20001000, 4096, PROT_READ)"),
    "msync": (*_MAPPED, "msync(0x20000000, 4096, MS_SYNC)"),
    "madvise": (*_MAPPED, "madvise(0x20000000, 4096, MADV_DONTNEED)"),
    "mremap": (*_MAPPED, "mremap(0x20000000, 16384, 4096)"),
    "prlimit64": ("prlimit64(0, RLIMIT_NOFILE, {100, 100})",),
    "setrlimit": ("setrlimit(RLIMIT_NOFILE, {100, 100})",),
    "getrlimit": ("getrlimit(RLIMIT_NOFILE)",),
    "setresuid": ("setresuid(5, 6, 7)",),
    "setresgid": ("setresgid(5, 6, 7)",),
    "setgroups": ("setgroups(2, [3, 4])",),
    "unshare": ("unshare(CLONE_FILES)",),
    "setns": (*FILES["namespace"], "setns(f, CLONE_NEWIPC)"),
    "setpgid": ("setpgid(0, 0)",),
    "getpgid": ("getpgid(A)",),
    "getsid": ("getsid(A)",),
    "kill": ("kill(A, SIGUSR1)",),
    "tgkill": ("tgkill(A, A, SIGUSR1)",),
    "prctl": ("prctl(PR_GET_DUMPABLE)",),
    "nanosleep": ("nanosleep({0, 1000000})", "!wait(100)"),
    "clock_nanosleep": ("clock_nanosleep(CLOCK_MONOTONIC, 0, {0, 1000000})", "!wait(100)"),
    "wait4": ("wait4(-1)",),
    "waitid": ("waitid(P_ALL, 0, WEXITED)",),
    "clock_settime": ("clock_settime(CLOCK_REALTIME, {1800000000, 0})",),
    "alarm": ("alarm(100)", "alarm(0)"),
    "getitimer": ("alarm(100)", "getitimer(ITIMER_REAL)"),
    "setitimer": ("setitimer(ITIMER_REAL, {{0, 0}, {100, 0}})",),
    "rt_sigprocmask": ("rt_sigprocmask(SIG_BLOCK, 0x200)",),
    "semget": ("semget(IPC_PRIVATE, 2, IPC_CREAT|0600)",),
    "semop": (*_SEM, "semop(q, [{0, 1, 0}])"),
    "semctl": (*_SEM, "semctl(q, 0, GETVAL)"),
    "semtimedop": (*_SEM, "semtimedop(q, [{0, 1, 0}], {0, 0})"),
    "msgget": ("msgget(IPC_PRIVATE, IPC_CREAT|0600)",),
    "msgsnd": (*_MSG, 'msgsnd(q, {3, "x"})'),
    "msgrcv": (*_MSG, "msgrcv(q, 10)"),
    "msgctl": (*_MSG, "msgctl(q, IPC_STAT)"),
    "shmget": ("shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600)",),
    "shmat": (*_SHM, "shmat(q, 0x30000000)"),
    "shmctl": (*_SHM, "shmctl(q, IPC_STAT)"),
    "shmdt": (*_SHM, "shmat(q, 0x30000000)", "shmdt(0x30000000)"),
    "socket": ("socket(AF_UNIX, SOCK_STREAM)",),
    "socketpair": ("socketpair(AF_UNIX, SOCK_STREAM, 0, [f, g])",),
    "bind": ("socket(AF_UNIX, SOCK_STREAM) -> f", 'bind(f, unix(@"w#"))'),
    "connect": _TCP,
    "listen": SOCKETS["tcp-listening"],
    "accept": _TCP,
    "accept4": (*SOCKETS["tcp-listening"], "fcntl(f, F_SETFL, O_NONBLOCK)", "accept4(f, NULL, NULL, SOCK_CLOEXEC)"),
    "getsockname": (*_TCP, "getsockname(f)"),
    "getpeername": (*_TCP, "getpeername(f)"),
    "sendto": (*_UDP, 'sendto(f, "x", 0, inet("127.0.0.1", @))'),
    "recvfrom": (*_UDP, "recvfrom(f, 10)"),
    "sendmsg": (*_PAIR, 'sendmsg(f, {msg_iov=["a", "b"]})'),
    "recvmsg": (*_PAIR, "recvmsg(f, {msg_iov=[10]})"),
    "sendmmsg": (*_PAIR, 'sendmmsg(f, [{msg_iov=["a"]}, {msg_iov=["b"]}])'),
    "recvmmsg": (*_PAIR, "recvmmsg(f, [{msg_iov=[2]}, {msg_iov=[2]}], MSG_DONTWAIT)"),
    "shutdown": (*_PAIR, "shutdown(f, SHUT_WR)"),
    "getsockopt": (*_PAIR, "getsockopt(f, SOL_SOCKET, SO_TYPE)"),
    "setsockopt": (*_PAIR, "setsockopt(f, SOL_SOCKET, SO_RCVBUF, 4096)"),
    "fork": ("fork() -> C#",),
    "exec": ("exec()",),
    "exit": ("exit(3)",),
    "sigaction": ("sigaction(SIGUSR1, SIG_IGN)",),
    "store": (*_MAPPED, 'store(0x20000000, "abc")'),
    "load": (*_MAPPED, "load(0x20000000, 3)"),
    **{name: (f"{name}()",) for name in WITHOUT},
}
"""Every call, as it is meant."""

_BAD_BUFFER = {"-1": "BAD", "0": "NULL", "0x7fffffff": "BAD", "0x8000000000000000": "0x8000000000000000"}


def counts() -> dict[str, int]:
    """Return how many arguments each call has."""
    return {name: len(entry.inputs) for name, entry in SIGNATURES.items() if entry.inputs}


def _is_buffer(param: Parameter) -> bool:
    messages = (SentMessage, SentMessages, ReceivedMessages)
    return isinstance(param, messages) or (isinstance(param, In) and not param.numeric)


def filler(name: str, number: int, bad: str) -> str:
    """Return an argument that no call is meant to have: *bad*, or an address where a buffer belongs."""
    param = SIGNATURES[name].inputs[number]
    if isinstance(param, In) and param.numeric and int(bad, 0) >= 1 << 32:
        bad = "0x80000000"  # it goes by address: scripts that give more than its type holds are refused
    return f"{param.name}={_BAD_BUFFER[bad] if _is_buffer(param) else bad}"


_ARENA = "0x20000000, 4096"
TAKING: Mapping[str, tuple[Vocabulary, tuple[str, ...], tuple[str, ...]]] = {
    "open": (c.OPEN, _FILE, ('open("/tmp/w#", ?, 0600)',)),
    "open a directory": (c.OPEN, (), ('open("/tmp", ?, 0600)',)),
    "open a FIFO": (c.OPEN, ('mkfifo("/tmp/w#", 0600)', 'open("/tmp/w#", O_RDWR)'), ('open("/tmp/w#", ?, 0600)',)),
    "openat": (c.OPEN, (), ('openat(AT_FDCWD, "/tmp/w#", ?|O_CREAT|O_RDWR, 0600)',)),
    "F_SETFL": (c.OPEN, _FILE, ("fcntl(f, F_SETFL, ?)", "fcntl(f, F_GETFL)")),
    "F_SETFL of a socket": (c.OPEN, _PAIR, ("fcntl(f, F_SETFL, ?)", "fcntl(f, F_GETFL)")),
    "pipe2": (c.OPEN, (), ("pipe2([f, g], ?)",)),
    "notification pipe": (c.PIPE, (), ("pipe2([f, g], ?)",)),
    "dup3": (c.OPEN, _PIPE, ("dup3(f, 9, ?)",)),
    "mknod": (c.FILE_MODE, (), ('mknod("/tmp/w#", ?|0600)', 'stat("/tmp/w#")', 'open("/tmp/w#", O_RDONLY|O_NONBLOCK)')),
    "fstatat": (c.AT, _FILE, ('newfstatat(AT_FDCWD, "/tmp/w#", ?)', 'newfstatat(f, "", ?)')),
    "linkat": (c.AT, _FILE, ('linkat(AT_FDCWD, "/tmp/w#", AT_FDCWD, "/tmp/v#", ?)',)),
    "fchownat": (c.AT, _FILE, ('fchownat(AT_FDCWD, "/tmp/w#", 3, 3, ?)',)),
    "faccessat2": (c.FACCESS_AT, _FILE, ('faccessat2(AT_FDCWD, "/tmp/w#", R_OK, ?)',)),
    "unlinkat": (c.UNLINK_AT, _DIRECTORY, ('unlinkat(AT_FDCWD, "/tmp/w#", ?)',)),
    "renameat2": (c.RENAME, _FILE, ('renameat2(AT_FDCWD, "/tmp/w#", AT_FDCWD, "/tmp/v#", ?)',)),
    "access": (c.ACCESS, _FILE, ('access("/tmp/w#", ?)',)),
    "lseek": (c.WHENCE, _FILE, ("lseek(f, 1, ?)",)),
    "lseek in a hole": (c.WHENCE, (*_MEMFD, "ftruncate(f, 20000)"), ("lseek(f, 5000, ?)", "lseek(f, 0, ?)")),
    "close_range": (c.CLOSE_RANGE, _PIPE, ("close_range(f, g, ?)",)),
    "memfd_create": (c.MEMFD, (), ('memfd_create("m", ?) -> f', "fcntl(f, F_GET_SEALS)", 'write(f, "x")')),
    "F_SETFD": (c.FD, _PIPE, ("fcntl(f, F_SETFD, ?)",)),
    "F_SETOWN_EX": (c.OWNER, _PIPE, ("fcntl(f, F_SETOWN_EX, {?, A})", "fcntl(f, F_GETOWN_EX)")),
    "poll": (c.POLL, _PAIR, ("poll([{f, ?}, {g, ?}], 0)",)),
    "poll of a pipe": (c.POLL, _PIPE, ("poll([{f, ?}, {g, ?}], 0)",)),
    "epoll events": (c.EPOLL, (*_PAIR, "epoll_create1(0) -> e"), (
        "epoll_ctl(e, EPOLL_CTL_ADD, f, {events=?, data=1})", "epoll_wait(e, 4, 0)",
        "epoll_ctl(e, EPOLL_CTL_MOD, f, {events=?|EPOLLIN, data=1})", "epoll_wait(e, 4, 0)",
    )),
    "eventfd2": (c.EVENTFD, (), ("eventfd2(2, ?) -> f", "read(f, 8)")),
    "timerfd_create": (c.TIMERFD, (), ("timerfd_create(CLOCK_REALTIME, ?)",)),
    "timerfd_create of a clock": (c.CLOCK, (), ("timerfd_create(?) -> f", "timerfd_gettime(f)")),
    "timerfd_settime": (c.TIMERFD_SETTIME, FILES["timerfd"], ("timerfd_settime(f, ?, {{0, 0}, {1000, 0}})",)),
    "signalfd4": (c.SIGNALFD, (), ("signalfd4(-1, 0x200, ?)",)),
    "pidfd_open": (c.PIDFD, (), ("pidfd_open(A, ?)",)),
    "inotify_init1": (c.INOTIFY_INIT, (), ("inotify_init1(?)",)),
    "inotify_add_watch": (c.INOTIFY, FILES["inotify"], (
        'inotify_add_watch(f, "/tmp", ?)', 'creat("/tmp/w#", 0600)', "poll([{f, POLLIN}], 0)", "read(f, 100)",
    )),
    "epoll_create1": (c.EPOLL_CREATE, (), ("epoll_create1(?)",)),
    "epoll_ctl": (c.EPOLL_CTL, (*_PIPE, "epoll_create1(0) -> e"), (
        "epoll_ctl(e, ?, f, {events=EPOLLIN})", "epoll_ctl(e, ?, f, {events=EPOLLIN})",
    )),
    "splice": (c.SPLICE, (*_PIPE, "pipe([h, i])"), ("splice(f, NULL, i, NULL, 2, ?)",)),
    "tee": (c.SPLICE, (*_PIPE, "pipe([h, i])"), ("tee(f, i, 2, ?)",)),
    "vmsplice": (c.SPLICE, (*_MAPPED, 'store(0x20000000, "abc")', *_PIPE), ("vmsplice(g, [{0x20000000, 3}], 1, ?)",)),
    "mmap prot": (c.PROT, (), (f"mmap({_ARENA}, ?, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED)", "load(0x20000000, 2)")),
    "mmap": (c.MAP, (), (f"mmap({_ARENA}, PROT_READ|PROT_WRITE, ?|MAP_FIXED|MAP_ANONYMOUS)", "load(0x20000000, 2)")),
    "mmap private": (c.MAP, (), (
        f"mmap({_ARENA}, PROT_READ|PROT_WRITE, ?|MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS)", "load(0x20000000, 2)",
    )),
    "mmap of a memfd": (c.MAP, _MEMFD, (
        f"mmap({_ARENA}, PROT_READ|PROT_WRITE, ?|MAP_FIXED, f, 0)", "load(0x20000000, 2)",
    )),
    "mmap of a memfd, shared": (c.MAP, _MEMFD, (
        f"mmap({_ARENA}, PROT_READ|PROT_WRITE, ?|MAP_SHARED|MAP_FIXED, f, 0)", "load(0x20000000, 2)",
    )),
    "mprotect": (c.PROT, _MAPPED, ("mprotect(0x20000000, 4096, ?)", 'store(0x20000000, "a")', "load(0x20000000, 2)")),
    "msync": (c.MSYNC, _MAPPED, ("msync(0x20000000, 4096, ?)",)),
    "madvise": (c.MADVICE, _MAPPED, ('store(0x20000000, "a")', f"madvise({_ARENA}, ?)", "load(0x20000000, 1)")),
    "mremap": (c.MREMAP, _MAPPED, ("mremap(0x20000000, 16384, 20480, ?, 0x40000000)",)),
    "getrlimit": (c.RLIMIT, (), ("getrlimit(?)",)),
    "setrlimit": (c.RLIMIT, (), ("setrlimit(?, {1000, 2000})", "getrlimit(?)")),
    "prlimit64": (c.RLIMIT, (), ("prlimit64(A, ?, {1000, 2000})",)),
    "fork": (c.CLONE, (), ("fork(?) -> C#",)),
    "unshare": (c.CLONE, (), ("unshare(?)",)),
    "setns": (c.CLONE, FILES["namespace"], ("setns(f, ?)",)),
    "kill": (c.SIGNAL, (), ("kill(A, ?)",)),
    "tgkill": (c.SIGNAL, (), ("tgkill(A, A, ?)",)),
    "sigaction": (c.SIGNAL, (), ("sigaction(?, SIG_IGN)", "kill(A, ?)")),
    "sigaction of RECORD": (c.SIGNAL, (), ("sigaction(?, RECORD)", "kill(A, ?)")),
    "sigaction of SIG_DFL": (c.SIGNAL, (), ("sigaction(?, SIG_DFL)", "kill(A, ?)")),
    "F_SETSIG": (c.SIGNAL, _PAIR, (
        "fcntl(f, F_SETSIG, ?)", "fcntl(f, F_SETOWN, A)", "fcntl(f, F_SETFL, O_ASYNC)", 'write(g, "x")',
    )),
    "pidfd_send_signal": (c.SIGNAL, FILES["pidfd"], ("pidfd_send_signal(f, ?)",)),
    "rt_sigprocmask": (c.SIGMASK_HOW, (), ("rt_sigprocmask(?, 0x200)", "kill(A, SIGUSR1)")),
    "PR_SET_PDEATHSIG": (c.SIGNAL, (), ("prctl(PR_SET_PDEATHSIG, ?)",)),
    "wait4": (c.WAIT, (), ("wait4(-1, ?)",)),
    "waitid": (c.WAIT, (), ("waitid(P_ALL, 0, ?)", "waitid(P_ALL, 0, ?|WEXITED)")),
    "waitid of": (c.IDTYPE, (), ("waitid(?, 0, WEXITED|WNOHANG)",)),
    "clock_nanosleep": (c.CLOCK, (), ("clock_nanosleep(?, 0, {0, 1000000})", "!wait(100)")),
    "clock_nanosleep flags": (c.TIMER_FLAGS, (), ("clock_nanosleep(CLOCK_REALTIME, ?, {1, 0})",)),
    "clock_settime": (c.CLOCK, (), ("clock_settime(?, {1800000000, 0})",)),
    "getitimer": (c.ITIMER, (), ("getitimer(?)",)),
    "setitimer": (c.ITIMER, (), ("setitimer(?, {{0, 0}, {1000, 0}})", "setitimer(?, {{0, 0}, {0, 0}})")),
    "prctl": (c.PRCTL, (), ("prctl(?)",)),
    "prctl of 1": (c.PRCTL, (), ("prctl(?, 1)", "getpid()")),
    "prctl of an address": (c.PRCTL, _MAPPED, ("prctl(?, 0x20000000, 1, 1, 1)", "getpid()")),
    "semget": (c.SEMGET, (), ("semget(0x1234, 1, ?)",)),
    "msgget": (c.MSGGET, (), ("msgget(0x1234, ?)",)),
    "shmget": (c.SHMGET, (), ("shmget(IPC_PRIVATE, 4096, ?|0600)", "shmget(0x1234, 4096, ?)")),
    "semop": (c.SEMOP, _SEM, ("semop(q, [{0, 1, ?}])", "semop(q, [{0, -1, ?}])")),
    "msgsnd": (c.MSGSND, _MSG, ('msgsnd(q, {3, "x"}, ?)',)),
    "msgrcv": (c.MSGRCV, _MSG, ("msgrcv(q, 1, 0, ?)", "msgrcv(q, 9, 1, ?)")),
    "shmat": (c.SHMAT, _SHM, ("shmat(q, 0x30000001, ?)", "shmat(q, 0x30000000, ?)")),
    "semctl": (_BARE_SEMCTL, _SEM, ("semctl(q, 0, ?)", "semctl(0, 0, ?)")),
    "semctl of 1": (c.SEMCTL, _SEM, ("semctl(q, 1, ?, 1)",)),
    "msgctl": (c.MSGCTL, _MSG, ("msgctl(q, ?)", "msgctl(0, ?)")),
    "shmctl": (c.SHMCTL, _SHM, ("shmctl(q, ?)", "shmctl(0, ?)")),
    "accept4": (c.OPEN, SOCKETS["tcp-listening"], ("fcntl(f, F_SETFL, O_NONBLOCK)", "accept4(f, NULL, NULL, ?)")),
    "shutdown": (c.SHUTDOWN, _TCP, (
        "shutdown(f, ?)", 'send(f, "x", MSG_DONTWAIT|MSG_NOSIGNAL)', "recv(g, 9, MSG_DONTWAIT)",
    )),
    "socket flags": (c.OPEN, (), ("socket(AF_UNIX, SOCK_STREAM|?)",)),
}  # fmt: skip
"""Calls that take a vocabulary's names in the place of ``?``: the vocabulary, what comes before, the calls."""

_FULL = ("pipe2([h, i], O_NONBLOCK)", 'write(i, "12345678")')
ON_DESCRIPTORS: Mapping[str, tuple[str, ...]] = {
    "read": ("fcntl(f, F_SETFL, O_NONBLOCK)", "read(f, 9)", "read(f, 0)"),
    "write": ("fcntl(f, F_SETFL, O_NONBLOCK)", 'write(f, "12345678")', 'write(f, "")'),
    "readv": ("fcntl(f, F_SETFL, O_NONBLOCK)", "readv(f, [2, 9])"),
    "writev": ("fcntl(f, F_SETFL, O_NONBLOCK)", 'writev(f, ["1234", "5678"])'),
    "pread64": ("pread64(f, 4, 1)", "pread64(f, 4, -1)"),
    "pwrite64": ('pwrite64(f, "xy", 2, 1)',),
    "preadv": ("preadv(f, [2, 4], 2, 1)",),
    "pwritev": ('pwritev(f, ["xy"], 1, 1)',),
    "lseek": ("lseek(f, 1, SEEK_SET)", "lseek(f, 0, SEEK_END)", "lseek(f, 0, SEEK_DATA)"),
    "fsync": ("fsync(f)", "fdatasync(f)"),
    "ftruncate": ("ftruncate(f, 5000)", "ftruncate(f, 1)"),
    "fstat": ("fstat(f)",),
    "fchmod": ("fchmod(f, 0640)", "fstat(f)"),
    "fchown": ("fchown(f, 3, 4)", "fstat(f)"),
    "fchdir": ("fchdir(f)", "getcwd(64)"),
    "dup": ("dup(f) -> d", "close(f)", "dup2(d, f)", "close(d)"),
    "poll": ("poll([{f, POLLIN|POLLOUT|POLLPRI|POLLRDHUP}], 0)",),
    "select": ("select(9, [f], [f], [f], {0, 0})",),
    "epoll": (
        *("epoll_create1(0) -> e", "epoll_ctl(e, EPOLL_CTL_ADD, f, {events=EPOLLIN|EPOLLOUT, data=1})"),
        *("epoll_wait(e, 4, 0)", "poll([{e, POLLIN}], 0)", "epoll_ctl(e, EPOLL_CTL_DEL, f)"),
    ),
    "edge-triggered epoll": (
        *("epoll_create1(0) -> e", "epoll_ctl(e, EPOLL_CTL_ADD, f, {events=EPOLLIN|EPOLLOUT|EPOLLET, data=1})"),
        *("epoll_wait(e, 4, 0)", "epoll_wait(e, 4, 0)", "close(f)", "epoll_wait(e, 4, 0)"),
    ),
    "epoll_ctl": ("pipe([h, i])", "epoll_ctl(f, EPOLL_CTL_ADD, h, {events=EPOLLIN})", "epoll_wait(f, 4, 0)"),
    "splice from": ("pipe2([h, i], O_NONBLOCK)", "splice(f, NULL, i, NULL, 4, SPLICE_F_NONBLOCK)"),
    "splice to": (
        "pipe2([h, i], O_NONBLOCK)",
        'write(i, "12345678")',
        "splice(h, NULL, f, NULL, 8, SPLICE_F_NONBLOCK)",
    ),
    "splice at an offset": ("pipe2([h, i], O_NONBLOCK)", "splice(f, 1, i, NULL, 4, SPLICE_F_NONBLOCK)"),
    "tee from": ("pipe2([h, i], O_NONBLOCK)", "tee(f, i, 4, SPLICE_F_NONBLOCK)"),
    "tee to": (*_FULL, "tee(h, f, 4, SPLICE_F_NONBLOCK)"),
    "vmsplice": (*_MAPPED, "vmsplice(f, [{0x20000000, 3}], 1, SPLICE_F_NONBLOCK)"),
    "sendfile from": ("pipe2([h, i], O_NONBLOCK)", "sendfile(i, f, NULL, 4)", "sendfile(i, f, 1, 2)"),
    "sendfile to": (
        *('creat("/tmp/v#", 0600) -> h', 'write(h, "12345678")', 'open("/tmp/v#", O_RDONLY) -> i'),
        "sendfile(f, i, NULL, 8)",
    ),
    "mmap shared": (f"mmap({_ARENA}, PROT_READ, MAP_SHARED|MAP_FIXED, f, 0)", "load(0x20000000, 3)"),
    "mmap private": (f"mmap({_ARENA}, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, f, 0)", 'store(0x20000000, "x")'),
    "mmap to write": (f"mmap({_ARENA}, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, f, 0)", 'store(0x20000000, "x")'),
    "mmap of nothing": ("mmap(0, 0, PROT_READ, MAP_PRIVATE, f, 0)", "mmap(0, 4096, PROT_READ, MAP_PRIVATE, f, 1)"),
    "openat": ('openat(f, "x", O_RDWR|O_CREAT, 0600)', 'openat(f, "../tmp", O_RDONLY)'),
    "newfstatat": ('newfstatat(f, "", AT_EMPTY_PATH)', 'newfstatat(f, ".")'),
    "proc": (
        'open("/proc/self/fd/0", O_RDONLY|O_NONBLOCK) -> d',
        'readlink("/proc/self/fd/0", 100)',
        'stat("/proc/self/fd/0")',
    ),
    "setns": ("setns(f, 0)",),
    "pidfd_send_signal": ("pidfd_send_signal(f, SIGUSR1)",),
    "inotify_add_watch": ('inotify_add_watch(f, "/tmp", IN_CREATE)', "inotify_rm_watch(f, 1)"),
    "timerfd": ("timerfd_settime(f, 0, {{0, 0}, {1000, 0}})", "timerfd_gettime(f)"),
    "signalfd": ("signalfd4(f, 0x400, 0)",),
    "getsockname": ("getsockname(f)", "getpeername(f)"),
    "listen": ("listen(f, 3)",),
    "accept": ("fcntl(f, F_SETFL, O_NONBLOCK)", "accept(f, NULL, NULL)"),
    "bind": ('bind(f, unix(@"w#"))', 'bind(f, inet("127.0.0.1", 0))'),
    "connect": ("fcntl(f, F_SETFL, O_NONBLOCK)", 'connect(f, unix(@"nobody"))', 'connect(f, inet("127.0.0.1", 1))'),
    "shutdown": ("shutdown(f, SHUT_RD)", "shutdown(f, SHUT_WR)", "poll([{f, POLLIN|POLLOUT}], 0)"),
    "send": ('send(f, "abc", MSG_DONTWAIT|MSG_NOSIGNAL)', 'send(f, "", MSG_DONTWAIT|MSG_NOSIGNAL)'),
    "recv": ("recv(f, 2, MSG_DONTWAIT)", "recv(f, 0, MSG_DONTWAIT)"),
    "sendmsg": ('sendmsg(f, {msg_iov=["a", "b"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [f]}]}, MSG_DONTWAIT)',),
    "recvmsg": ("recvmsg(f, {msg_iov=[2, 2], msg_namelen=110, msg_controllen=64}, MSG_DONTWAIT)",),
    "recvmmsg": ("recvmmsg(f, [{msg_iov=[2]}, {msg_iov=[2]}], MSG_DONTWAIT)",),
    "sendmmsg": ('sendmmsg(f, [{msg_iov=["2"]}, {msg_iov=["2"]}], MSG_DONTWAIT|MSG_NOSIGNAL)',),
    "send it": (
        *("socketpair(AF_UNIX, SOCK_DGRAM, 0, [a, b])",),
        *('sendmsg(a, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [f]}]}, 0)', "close(f)"),
        *("recvmsg(b, {msg_iov=[4], msg_controllen=24}, 0)",),
    ),
    "fork": ("fork() -> C#", "close(f)", "!kill(C#, SIGKILL)"),
    "exec": ("fcntl(f, F_SETFD, FD_CLOEXEC)", "exec()"),
    "owner": ("fcntl(f, F_SETOWN, A)", "fcntl(f, F_SETFL, O_ASYNC|O_NONBLOCK)", "fcntl(f, F_GETFL)"),
}
"""Calls on ``f``."""

FCNTL_ARGUMENTS = {
    "F_DUPFD": "5", "F_DUPFD_CLOEXEC": "5", "F_SETFD": "FD_CLOEXEC", "F_SETFL": "O_NONBLOCK|O_APPEND", "F_SETOWN": "A",
    "F_SETSIG": "SIGUSR1", "F_SETPIPE_SZ": "8192", "F_ADD_SEALS": "F_SEAL_GROW", "F_SETOWN_EX": "{F_OWNER_PID, A}",
    "F_NOTIFY": "DN_CREATE", "F_SETLEASE": "F_RDLCK",
}  # fmt: skip
IOCTL_ARGUMENTS = {"FIONBIO": ", 1", "FIOASYNC": ", 1", "SIOCSPGRP": ", A", "FIOSETOWN": ", A"}

WITH_MSG = {
    "sendto": 'send(f, "abc", ?|MSG_DONTWAIT|MSG_NOSIGNAL)',
    "sendmsg": 'sendmsg(f, {msg_iov=["abc"]}, ?|MSG_DONTWAIT|MSG_NOSIGNAL)',
    "sendmmsg": 'sendmmsg(f, [{msg_iov=["abc"]}, {msg_iov=["d"]}], ?|MSG_DONTWAIT|MSG_NOSIGNAL)',
    "recvfrom": "recvfrom(f, 2, ?|MSG_DONTWAIT)",
    "recvmsg": "recvmsg(f, {msg_iov=[2], msg_namelen=110, msg_controllen=64}, ?|MSG_DONTWAIT)",
    "recvmmsg": "recvmmsg(f, [{msg_iov=[2]}, {msg_iov=[2]}], ?|MSG_DONTWAIT)",
}


def option_values(name: str) -> tuple[str, ...]:
    """Return the values that option *name* is given: numbers, structs, texts."""
    if name == "SO_ATTACH_FILTER":
        return ("1", "BAD")
    return ("0", "1", "-1", '"lo\\x00\\x00"', '"\\x7f\\x00\\x00\\x01" * 4', '"\\x01\\x00\\x00\\x00" * 36')


PKTINFO = '"\\x01\\x00\\x00\\x00" + "\\x00" * 8'
PKTINFO6 = '"\\x00" * 16 + "\\x01\\x00\\x00\\x00"'


def control_messages() -> Iterator[tuple[str, str, str]]:
    """Yield level, type and data of every control message."""
    number, stamp = '"\\x01\\x00\\x00\\x00"', '"\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00" * 2'
    for name in c.CONSTANTS:
        if name.startswith("SCM_") or name in ("SO_MARK", "SO_TIMESTAMPING", "SO_TXTIME"):
            data = "[f]" if name == "SCM_RIGHTS" else "{pid=A, uid=0, gid=0}" if name == "SCM_CREDENTIALS" else stamp
            yield "SOL_SOCKET", name, data
    for level, vocabulary in (("SOL_IP", c.IP), ("SOL_IPV6", c.IPV6), ("SOL_UDP", c.UDP), ("SOL_TCP", c.TCP)):
        for name in vocabulary.names():
            yield level, name, number
            if name.endswith("PKTINFO"):
                yield (
                    level,
                    name,
                    '"\\x01\\x00\\x00\\x00" + "\\x00" * 8'
                    if level == "SOL_IP"
                    else '"\\x00" * 16 + "\\x01\\x00\\x00\\x00"',
                )


_IOCTLS = (
    *(*_PIPE, "ioctl(f, ?)", *_PAIR, "ioctl(f, ?)", *_UDP, "ioctl(f, ?)", *_FILE, "ioctl(f, ?)"),
    *("epoll_create1(0) -> f", "ioctl(f, ?)", 'open("/dev/null", O_RDWR) -> f', "ioctl(f, ?)"),
)
_RAW_SEND = ("socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> f", 'bind(f, {sa_family=AF_PACKET, sa_data=""})')
OTHERS: Mapping[str, tuple[str, ...]] = {
    "O_": ('open("/tmp", ?)',),
    "F_SEAL_": (*_MEMFD, "fcntl(f, F_ADD_SEALS, ?)", 'write(f, "x" * 5000)', "ftruncate(f, 0)", "ftruncate(f, 9000)"),
    "F_LINUX_SPECIFIC_BASE": (*_PIPE, "fcntl(f, ?, 0)"),
    "F_": (*_FILE, "fcntl(f, F_SETLEASE, ?)"),
    "AT_": (*_FILE, 'newfstatat(AT_FDCWD, "/tmp/w#", ?)'),
    "DN_": (*_DIRECTORY, "fcntl(f, F_NOTIFY, ?)"),
    "MAP_HUGE_": ("mmap(0, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|?)",),
    "MAP_": (f"mmap({_ARENA}, PROT_READ, MAP_ANONYMOUS|MAP_FIXED|?)",),
    "MCL_": ("prctl(?)",),
    "MFD_": ('memfd_create("m", MFD_HUGETLB|?)',),
    "SEEK_": (*_FILE, "lseek(f, 0, ?)"),
    "RLIM_INFINITY": ("setrlimit(RLIMIT_CORE, {?, ?})",),
    "RLIM_": ("getrlimit(?)",),
    "CLOCK": ("clock_settime(?, {0, 0})",),
    "S_I": (*_FILE, "fchmod(f, ?)", "fstat(f)"),
    "SHM_": ("shmget(IPC_PRIVATE, 4096, SHM_HUGETLB|?|0600)",),
    "SEM_": ("semget(IPC_PRIVATE, 1, IPC_CREAT|?)",),
    "SEM": ("semget(IPC_PRIVATE, ?, 0600)",),
    "IP_PMTUDISC_": (*_UDP, "setsockopt(f, SOL_IP, IP_MTU_DISCOVER, ?)", 'send(f, "x", 0)'),
    "IP_": (*_UDP, "getsockopt(f, SOL_IP, ?)", "setsockopt(f, SOL_IP, ?, 1)"),
    "MCAST_": (*_UDP, 'setsockopt(f, SOL_IP, ?, "\\x00" * 136)', "getsockopt(f, SOL_IP, ?)"),
    "INADDR_": ("socket(AF_INET, SOCK_DGRAM) -> f", "setsockopt(f, SOL_IP, IP_MULTICAST_IF, ?)"),
    "IPV6_PMTUDISC_": (*SOCKETS["udp6"], "setsockopt(f, SOL_IPV6, IPV6_MTU_DISCOVER, ?)", 'send(f, "x", 0)'),
    "IPV6_PREFER_": (*SOCKETS["udp6"], "setsockopt(f, SOL_IPV6, IPV6_ADDR_PREFERENCES, ?)"),
    "IPV6_": (*SOCKETS["udp6"], "setsockopt(f, SOL_IPV6, IPV6_FLOWINFO, ?)"),
    "IPPROTO_": ("socket(AF_INET6, SOCK_RAW, ?) -> f",),
    "NLM": (
        *SOCKETS["route"],
        'sendto(f, "\\x14\\x00\\x00\\x00\\x03\\x00\\x01\\x00" + "\\x00" * 8, 0)',
        "close_range(?, 0)",
    ),
    "NETLINK_": ("socket(AF_NETLINK, SOCK_RAW, ?)",),
    "ETH_P_": ("socket(AF_PACKET, SOCK_DGRAM, ?) -> f", "bind(f, packet(?, 1))"),
    "PACKET_": (*SOCKETS["packet"], "getsockopt(f, SOL_PACKET, ?)", "setsockopt(f, SOL_PACKET, ?, 1)"),
    "ICMP_": (*SOCKETS["icmp"], "setsockopt(f, SOL_RAW, ICMP_FILTER, ?)"),
    "ICMPV6_": (*SOCKETS["icmp6"], "setsockopt(f, SOL_ICMPV6, ICMPV6_FILTER, ?)"),
    "NGROUPS_MAX": ("setgroups(?, [1])",),
    "PATH_MAX": ('open("x" * ?, O_RDONLY)',),
    "NAME_MAX": ('open("/tmp/" + "x" * ?, O_RDONLY)',),
    "PIPE_BUF": (*_PIPE, 'write(g, "x" * ?)'),
    "PAGE_SIZE": (*_PIPE, 'write(g, "x" * ?)'),
    "UDP_": (*_UDP, "setsockopt(f, SOL_UDP, UDP_ENCAP, ?)"),
    "PR_": ("prctl(?)",),
    "SO_": (*_PAIR, "getsockopt(f, SOL_SOCKET, ?)", "setsockopt(f, SOL_SOCKET, ?, 1)"),
    "SOCK_": (*_PAIR, "setsockopt(f, SOL_SOCKET, SO_BUF_LOCK, ?)"),
    "SOMAXCONN": ("socket(AF_UNIX, SOCK_STREAM) -> f", 'bind(f, unix(@"w#"))', "listen(f, ?)"),
    "AF_": ("socket(?, SOCK_STREAM)",),
    "PF_": ("socket(?, SOCK_STREAM)",),
    "SCM_": (*_PAIR, 'sendmsg(f, {msg_iov=["x"], msg_control=[{SOL_SOCKET, ?, "12345678"}]}, 0)'),
    "TCP_": (*_TCP, "setsockopt(f, SOL_TCP, TCP_MAXSEG, ?)"),
    "W": ("wait4(-1, ?)",),
    "EPOLL": (*_PIPE, "epoll_create1(0) -> e", "epoll_ctl(e, EPOLL_CTL_ADD, f, {events=?})"),
    "SIOC": (*_UDP, "ioctl(f, ?)"),
    **dict.fromkeys(
        ("TIOC", "TCS", "TCG", "TCX", "TCF", "FIO", "FI", "FS_IOC", "BLK", "INOTIFY_IOC", "TFD_IOC"), _IOCTLS
    ),
    "LOCK_": (*_FILE, "fcntl(f, F_SETLEASE, ?)", "fcntl(f, F_NOTIFY, ?)"),
    "IPTOS_": (*_UDP, "setsockopt(f, SOL_IP, IP_TOS, ?)", "getsockopt(f, SOL_IP, IP_TOS)", 'send(f, "x", 0)'),
    "RTMGRP_": ("socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> f", "bind(f, netlink(0, ?))"),
    "RTNLGRP_": (*SOCKETS["route"], "setsockopt(f, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, ?)"),
    "STATX_": (*_FILE, 'newfstatat(AT_FDCWD, "/tmp/w#", ?)'),
    "SIG": ("kill(A, ?)",),
    "SHMLBA": (*_SHM, "shmat(q, ?, SHM_RND)"),
    "UDPLITE_": ("socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE) -> f", "setsockopt(f, SOL_UDPLITE, ?, 8)"),
    "SIZEOF_": ("socket(AF_UNIX, SOCK_STREAM) -> f", 'bind(f, unix(@"w#"), ?)'),
    "": ("lseek(0, ?, SEEK_SET)", "getrlimit(?)", "pipe2([f, g], ?)"),
}
"""Where constants belong that begin so; numbers of calls that scripts do not have are but numbers."""

SYSCTLS = tuple(
    line.rsplit(" = ", 1)
    for line in """
kernel/sem = 250 32000 32 128
kernel/msgmax = 100
kernel/msgmnb = 100
kernel/msgmni = 5
kernel/shmmax = 8192
kernel/shmall = 10
kernel/shmmni = 3
kernel/shm_rmid_forced = 1
kernel/sem_next_id = 7
kernel/msg_next_id = 7
kernel/shm_next_id = 7
kernel/pid_max = 500
fs/pipe-max-size = 65536
fs/pipe-user-pages-soft = 10
fs/pipe-user-pages-hard = 10
fs/file-max = 1000
fs/nr_open = 2048
fs/protected_fifos = 1
fs/protected_regular = 1
net/core/somaxconn = 2
net/core/rmem_max = 5000
net/core/wmem_max = 5000
net/core/rmem_default = 5000
net/core/optmem_max = 1000
net/unix/max_dgram_qlen = 1
net/ipv4/tcp_fastopen = 3
net/ipv4/tcp_syncookies = 0
net/ipv4/ip_forward = 1
net/ipv4/tcp_rmem = 4096 5000 6000
net/ipv4/tcp_wmem = 4096 5000 6000
net/ipv4/tcp_timestamps = 0
net/ipv4/ip_local_port_range = 40000 40002
net/ipv4/ping_group_range = 0 10
net/ipv4/udp_rmem_min = 1
net/ipv6/bindv6only = 1
net/ipv4/tcp_abort_on_overflow = 1
net/ipv4/tcp_max_syn_backlog = 1
vm/overcommit_memory = 2
user/max_user_namespaces = 0
user/max_ipc_namespaces = 0
kernel/hostname = x
vm/max_map_count = 10
kernel/threads-max = 50
net/ipv4/tcp_tw_reuse = 1
""".strip().split("\n")
)
"""Below /proc/sys."""
