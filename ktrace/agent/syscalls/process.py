"""Signatures of processes, their memory, limits, identity and signals."""

from __future__ import annotations

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import InInts, InStruct, OutStruct
from ktrace.agent.syscalls.parameter import Address, Const, Fd, Int, Pid, count_of
from ktrace.agent.syscalls.signature import ADDRESS, PID, Signature
from ktrace.agent.syscalls.structs import ITIMERVAL, RLIMIT, TIMESPEC
from ktrace.agent.syscalls.vectors import SignalMask, SignalMaskOut

SIGNATURES = (
    Signature(
        "mmap",
        9,
        Address("addr"),
        Int("length"),
        Int("prot", c.PROT),
        Int("flags", c.MAP),
        Fd("fd", default=-1),
        Int("offset", default=0),
        returns=ADDRESS,
    ),
    Signature("munmap", 11, Address("addr"), Int("length")),
    Signature("mprotect", 10, Address("addr"), Int("len"), Int("prot", c.PROT)),
    Signature("msync", 26, Address("addr"), Int("length"), Int("flags", c.MSYNC)),
    Signature("madvise", 28, Address("addr"), Int("length"), Int("advice", c.MADVICE)),
    Signature(
        "mremap",
        25,
        Address("old_address"),
        Int("old_size"),
        Int("new_size"),
        Int("flags", c.MREMAP, default=0),
        Address("new_address", default=0),
        returns=ADDRESS,
    ),
    Signature(
        "prlimit64",
        302,
        Pid("pid"),
        Int("resource", c.RLIMIT),
        InStruct("new_limit", RLIMIT, default=None),
        OutStruct("old_limit", RLIMIT),
    ),
    Signature("setrlimit", 160, Int("resource", c.RLIMIT), InStruct("rlim", RLIMIT)),
    Signature("getrlimit", 97, Int("resource", c.RLIMIT), OutStruct("rlim", RLIMIT)),
    Signature("setresuid", 117, Int("ruid"), Int("euid"), Int("suid")),
    Signature("setresgid", 119, Int("rgid"), Int("egid"), Int("sgid")),
    Signature("setgroups", 116, Int("size", late=count_of("list")), InInts("list", "I", counted="size")),
    Signature("getuid", 102),
    Signature("geteuid", 107),
    Signature("getgid", 104),
    Signature("getegid", 108),
    Signature("unshare", 272, Int("flags", c.CLONE)),
    Signature("setns", 308, Fd("fd"), Int("nstype", c.CLONE)),
    Signature("getpid", 39, returns=PID),
    Signature("getppid", 110, returns=PID),
    Signature("setpgid", 109, Pid("pid"), Pid("pgid")),
    Signature("getpgid", 121, Pid("pid"), returns=PID),
    Signature("getpgrp", 111, returns=PID),
    Signature("setsid", 112, returns=PID),
    Signature("getsid", 124, Pid("pid"), returns=PID),
    Signature("gettid", 186, returns=PID),
    Signature("kill", 62, Pid("pid"), Int("sig", c.SIGNAL)),
    Signature("tgkill", 234, Pid("tgid"), Pid("tid"), Int("sig", c.SIGNAL)),
    Signature(
        "prctl",
        157,
        Int("option", c.PRCTL),
        Int("arg2", default=0),
        Int("arg3", default=0),
        Int("arg4", default=0),
        Int("arg5", default=0),
    ),
    Signature("pause", 34),
    Signature("sched_yield", 24),
    Signature("nanosleep", 35, InStruct("req", TIMESPEC), Const(0)),
    Signature("clock_settime", 227, Int("clockid", c.CLOCK), InStruct("tp", TIMESPEC)),
    Signature("alarm", 37, Int("seconds")),
    Signature(
        "setitimer",
        38,
        Int("which", c.ITIMER),
        InStruct("new_value", ITIMERVAL, nullable=True),
        OutStruct("old_value", ITIMERVAL),
    ),
    Signature(
        "rt_sigprocmask",
        14,
        Int("how", c.SIGMASK_HOW),
        SignalMask("set", nullable=True),
        SignalMaskOut("oldset"),
        Const(8),
    ),
)
