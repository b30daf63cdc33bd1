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

_ONLY_NAMES = """
    ptrace:101 setfsuid:122 setfsgid:123 utime:132 uselib:134
    ustat:136 sysfs:139 vhangup:153 modify_ldt:154 pivot_root:155 _sysctl:156 adjtimex:159 chroot:161 acct:163
    settimeofday:164 mount:165 umount2:166 swapon:167 swapoff:168 reboot:169 sethostname:170 setdomainname:171
    iopl:172 ioperm:173 create_module:174 init_module:175 delete_module:176 get_kernel_syms:177 query_module:178
    quotactl:179 nfsservctl:180 getpmsg:181 putpmsg:182 afs_syscall:183 tuxcall:184 security:185 setxattr:188
    lsetxattr:189 fsetxattr:190 removexattr:197 lremovexattr:198 fremovexattr:199 tkill:200 set_thread_area:205
    io_setup:206 io_destroy:207 io_getevents:208 io_submit:209 io_cancel:210 get_thread_area:211 lookup_dcookie:212
    epoll_ctl_old:214 epoll_wait_old:215 remap_file_pages:216 utimes:235 vserver:236 mq_open:240
    mq_unlink:241 mq_timedsend:242 mq_timedreceive:243 mq_notify:244 mq_getsetattr:245 kexec_load:246 add_key:248
    request_key:249 keyctl:250 inotify_init:253 migrate_pages:256 futimesat:261 move_pages:279 signalfd:282
    perf_event_open:298 fanotify_init:300 fanotify_mark:301 name_to_handle_at:303
    open_by_handle_at:304 clock_adjtime:305 process_vm_readv:310 process_vm_writev:311 finit_module:313 seccomp:317
    kexec_file_load:320 bpf:321 execveat:322 userfaultfd:323 preadv2:327 pwritev2:328
    pkey_mprotect:329 io_pgetevents:333 uretprobe:335 uprobe:336 io_uring_setup:425 io_uring_enter:426
    io_uring_register:427 open_tree:428 move_mount:429 fsopen:430 fsconfig:431 fsmount:432 fspick:433 openat2:437
    pidfd_getfd:438 process_madvise:440 epoll_pwait2:441 mount_setattr:442 quotactl_fd:443
    landlock_create_ruleset:444 landlock_add_rule:445 landlock_restrict_self:446 memfd_secret:447
    process_mrelease:448 futex_waitv:449 set_mempolicy_home_node:450 cachestat:451 fchmodat2:452
    map_shadow_stack:453 futex_wake:454 futex_wait:455 futex_requeue:456 statmount:457 listmount:458
    lsm_get_self_attr:459 lsm_set_self_attr:460 lsm_list_modules:461 mseal:462 setxattrat:463 getxattrat:464
    listxattrat:465 removexattrat:466 open_tree_attr:467 file_getattr:468 file_setattr:469 listns:470
    rseq_slice_yield:471 fchroot:472
"""
UNKNOWN = {name: int(number) for name, number in (word.split(":") for word in _ONLY_NAMES.split())}
"""Calls of which ktrace knows nothing but name and number (``arch/x86/entry/syscalls/syscall_64.tbl``)."""
NUMBERED = "syscall_"
"""How one is called that has no name there, either: ``syscall_N``."""


def is_unknown(name: str) -> bool:
    """Tell whether nothing is known of a call: it may be passed over where nothing changes."""
    return name in UNKNOWN or name.startswith(NUMBERED)
