"""Signals (``arch/x86/include/uapi/asm/signal.h``, ``include/uapi/asm-generic/signal-defs.h``).

Real-time signals are called as ``kill -l`` and sig2str() of POSIX.1-2024 call them, counted from the first that
a C library leaves to programs: 35 is ``SIGRTMIN+1``, 63 ``SIGRTMAX-1``. The two before it have no name but
``SIG32`` and ``SIG33``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

SIGHUP = 1
SIGINT = 2
SIGQUIT = 3
SIGILL = 4
SIGTRAP = 5
SIGABRT = 6
SIGBUS = 7
SIGFPE = 8
SIGKILL = 9
SIGUSR1 = 10
SIGSEGV = 11
SIGUSR2 = 12
SIGPIPE = 13
SIGALRM = 14
SIGTERM = 15
SIGSTKFLT = 16
SIGCHLD = 17
SIGCONT = 18
SIGSTOP = 19
SIGTSTP = 20
SIGTTIN = 21
SIGTTOU = 22
SIGURG = 23
SIGXCPU = 24
SIGXFSZ = 25
SIGVTALRM = 26
SIGPROF = 27
SIGWINCH = 28
SIGIO = 29
SIGPWR = 30
SIGSYS = 31

SIGRTMIN = 32
"""The kernel's own first real-time signal (``arch/x86/include/uapi/asm/signal.h``)."""

LIBC_SIGRTMIN = 34
"""What programs call SIGRTMIN: glibc keeps two for itself (``SIGCANCEL``, ``SIGSETXID``)."""

SIGRTMAX = 64
"""The last real-time signal, so the last of all (the same file: ``_NSIG``)."""

SIG_BLOCK = 0
SIG_UNBLOCK = 1
SIG_SETMASK = 2
SIG_DFL = 0
SIG_IGN = 1

_LOWER_HALF_ENDS = 50
"""Up to here, exclusive, bash and gnulib count upwards from SIGRTMIN; from here down from SIGRTMAX."""


def _upwards(number: int) -> str:
    return f"SIGRTMIN+{number - LIBC_SIGRTMIN}" if number > LIBC_SIGRTMIN else "SIGRTMIN"


def _downwards(number: int) -> str:
    return f"SIGRTMAX-{SIGRTMAX - number}" if number < SIGRTMAX else "SIGRTMAX"


SIGNAL_NAMES: Mapping[int, str] = MappingProxyType(
    {
        number: name
        for name, number in list(globals().items())
        if re.fullmatch("SIG[0-9A-Z]+", name) and number < SIGRTMIN
    }
    | {number: f"SIG{number}" for number in range(SIGRTMIN, LIBC_SIGRTMIN)}
    | {number: _upwards(number) for number in range(LIBC_SIGRTMIN, _LOWER_HALF_ENDS)}
    | {number: _downwards(number) for number in range(_LOWER_HALF_ENDS, SIGRTMAX + 1)}
)
"""The name of every signal."""

SIGNAL_ALIASES: Mapping[str, int] = MappingProxyType({"SIGIOT": SIGABRT, "SIGPOLL": SIGIO, "SIGCLD": SIGCHLD})
"""Other words of the manual pages, which are understood but not written."""

SIGNAL_NUMBERS: Mapping[str, int] = MappingProxyType(
    dict(SIGNAL_ALIASES)
    | {_upwards(number): number for number in range(LIBC_SIGRTMIN, SIGRTMAX + 1)}
    | {_downwards(number): number for number in range(LIBC_SIGRTMIN, SIGRTMAX + 1)}
    | {f"SIG{number}": number for number in range(SIGRTMIN, SIGRTMAX + 1)}
    | {name: number for number, name in SIGNAL_NAMES.items()}
)
"""The number of every name, those that are understood but not written (``SIGRTMIN+30``, ``SIG35``) too."""


def signal_name(number: int) -> str:
    """Name signal *number*, such as ``SIGPIPE``, ``SIGRTMIN+1``; ``SIG65`` for what is no signal."""
    return SIGNAL_NAMES.get(number) or f"SIG{number}"


def signal_number(name: str) -> int:
    """Return the number of the signal called *name*.

    :raises KeyError: none is
    """
    return SIGNAL_NUMBERS[name]


SA_NOCLDSTOP = 0x00000001
SA_NOCLDWAIT = 0x00000002
SA_SIGINFO = 0x00000004
SA_RESTORER = 0x04000000
SA_ONSTACK = 0x08000000
SA_RESTART = 0x10000000
SA_NOMASK = 0x40000000
SA_NODEFER = 0x40000000
SA_RESETHAND = 0x80000000
SA_ONESHOT = 0x80000000

SA_UNSUPPORTED = 0x00000400
SA_EXPOSE_TAGBITS = 0x00000800
