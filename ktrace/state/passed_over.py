"""Calls of programs that change nothing that is modelled: their numbers, and as many arguments as they have.

That nothing else changed is checked after each: an entry that is wrong here is found so.
"""

from __future__ import annotations

CALLS = """
    brk 12 addr
    set_tid_address 218 tidptr
    set_robust_list 273 head len
    get_robust_list 274 pid head_ptr len_ptr
    rseq 334 rseq rseq_len flags sig
    arch_prctl 158 op addr
    futex 202 uaddr futex_op val timeout uaddr2 val3
    getrandom 318 buf buflen flags
    sysinfo 99 info
    uname 63 buf
    clock_gettime 228 clockid tp
    clock_getres 229 clockid res
    gettimeofday 96 tv tz
    time 201 tloc
    times 100 buf
    getrusage 98 who usage
    statfs 137 path buf
    fstatfs 138 fd buf
    statx 332 dirfd pathname flags mask statxbuf
    sched_getaffinity 204 pid cpusetsize mask
    sched_setaffinity 203 pid cpusetsize mask
    sched_getparam 143 pid param
    sched_setparam 142 pid param
    sched_getscheduler 145 pid
    sched_setscheduler 144 pid policy param
    sched_get_priority_max 146 policy
    sched_get_priority_min 147 policy
    sched_rr_get_interval 148 pid tp
    sched_getattr 315 pid attr size flags
    sched_setattr 314 pid attr flags
    getcpu 309 cpu node tcache
    getpriority 140 which who
    setpriority 141 which who prio
    ioprio_get 252 which who
    ioprio_set 251 which who ioprio
    mlockall 151 flags
    munlockall 152
    mincore 27 addr length vec
    membarrier 324 cmd flags cpu_id
    get_mempolicy 239 mode nodemask maxnode addr flags
    set_mempolicy 238 mode nodemask maxnode
    mbind 237 addr len mode nodemask maxnode flags
    pkey_alloc 330 flags access_rights
    pkey_free 331 pkey
    sigaltstack 131 ss old_ss
    rt_sigpending 127 set sigsetsize
    capget 125 hdrp datap
    personality 135 persona
    fadvise64 221 fd offset len advice
    readahead 187 fd offset count
    sync 162
    syncfs 306 fd
    sync_file_range 277 fd offset nbytes flags
    getgroups 115 size list
    getresuid 118 ruid euid suid
    getresgid 120 rgid egid sgid
    timer_gettime 224 timerid curr_value
    timer_getoverrun 225 timerid
    timer_delete 226 timerid
    syslog 103 type bufp len
    kcmp 312 pid1 pid2 type idx1 idx2
    getxattr 191 path name value size
    lgetxattr 192 path name value size
    fgetxattr 193 fd name value size
    listxattr 194 path list size
    llistxattr 195 path list size
    flistxattr 196 fd list size
    flock 73 fd operation
"""
"""Name, number, and places of the C prototype."""

NAMES = frozenset(line.split()[0] for line in CALLS.strip().splitlines())
