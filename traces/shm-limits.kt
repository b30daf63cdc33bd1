## shm-limits: sizes, limits, locking, and shm_rmid_forced
A: shmget(IPC_PRIVATE, 0, 0600)                          # EINVAL
A: shmget(IPC_PRIVATE, 1, 0600|SHM_HUGETLB)              # ENOMEM if hugetlbfs else EINVAL
A: shmget(IPC_PRIVATE, 1 << 40, 0600)                    # ENOMEM
A: shmget(IPC_PRIVATE, 1 << 40, 0600|SHM_NORESERVE) -> big
A: shmat(big) -> p
A: store(p + (1 << 39), "far away")                      # 0
A: shmctl(0, SHM_INFO)                                   # 0 {used_ids=1, shm_tot=1 << 28, shm_rss=1}
A: shmdt(p)                                              # 0
A: shmctl(big, IPC_RMID)                                 # 0
sysctl("kernel/shmmax", "8192")
A: shmget(IPC_PRIVATE, 8193, 0600)                       # EINVAL
sysctl("kernel/shmall", "3")
A: shmget(0x61, 8192, IPC_CREAT|0666) -> m
A: shmget(IPC_PRIVATE, 8192, 0600)                       # ENOSPC
A: shmget(0x61, 8193, 0)                                 # EINVAL
sysctl("kernel/shmmni", "1")
A: shmget(IPC_PRIVATE, 1, 0600)                          # ENOSPC
sysctl("kernel/shmmni", "4")
A: shmctl(0, IPC_INFO)                                   # 1 {shmmax=8192, shmall=3, shmmni=4, shmmin=1}
## locked pages are on somebody's account
spawn U uid=1000 gid=1000
U: shmctl(m, SHM_LOCK)                                   # EPERM
A: shmctl(m, SHM_LOCK)                                   # 0
A: shmctl(m, SHM_LOCK)                                   # 0
A: shmctl(m, IPC_STAT)                                   # 0 {shm_perm={mode=02666}}
A: shmctl(m, SHM_UNLOCK)                                 # 0
A: shmctl(m, SHM_UNLOCK)                                 # 0
U: shmget(IPC_PRIVATE, 1, 0600) -> u
U: setrlimit(RLIMIT_MEMLOCK, {0, 0})                     # 0
U: shmctl(u, SHM_LOCK)                                   # EPERM
A: shmctl(m, IPC_SET, {uid=1000, gid=1000, mode=0400})   # 0
U: shmctl(m & 0x7fff, SHM_STAT)                          # m
U: shmat(m, 0x20000000)                                  # EACCES
A: shmctl(m, 99)                                         # EINVAL
## with shm_rmid_forced nothing outlives its users and its creator
U: fork() -> V
V: shmat(u, 0x20000000)                                  # 0x20000000
U: exit(0)                                               # exited 0
sysctl("kernel/shm_rmid_forced", "1")
## nobody has m attached, but its creator is still there
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=0}
V: shmdt(0x20000000)                                     # 0
A: shmctl(u, IPC_STAT)                                   # EINVAL
A: shmat(m, 0x400000)                                    # EINVAL
A: shmctl(m, IPC_STAT)                                   # EINVAL
