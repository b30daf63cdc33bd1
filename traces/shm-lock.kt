## shm-lock: SHM_LOCK and SHM_UNLOCK on several accounts, RLIMIT_MEMLOCK inherited and changed
spawn U uid=1000 gid=1000
spawn V uid=1000 gid=1000
spawn W uid=1001 gid=1000
U: shmget(0x5, 5 * 4096, IPC_CREAT|0666) -> m
## two pages are allowed, and the child inherits that
U: setrlimit(RLIMIT_MEMLOCK, {8192, 8192})               # 0
U: shmctl(m, SHM_LOCK)                                   # ENOMEM
U: fork() -> X
X: shmctl(m, SHM_LOCK)                                   # ENOMEM
## V has its own limit, but the same account as U
V: shmctl(m, SHM_LOCK)                                   # 0
U: shmctl(m, SHM_LOCK)                                   # 0
U: shmget(IPC_PRIVATE, 4096, 0600) -> n
U: shmctl(n, SHM_LOCK)                                   # ENOMEM
## neither owner nor creator
W: shmctl(m, SHM_LOCK)                                   # EPERM
W: shmctl(m, SHM_UNLOCK)                                 # EPERM
## a limit of 0 forbids it altogether, but not to unlock
U: setrlimit(RLIMIT_MEMLOCK, {0, 8192})                  # 0
U: shmctl(n, SHM_LOCK)                                   # EPERM
U: shmctl(m, SHM_UNLOCK)                                 # 0
U: setrlimit(RLIMIT_MEMLOCK, {8192, 8192})               # 0
U: shmctl(n, SHM_LOCK)                                   # 0
## removal pays back
U: shmctl(n, IPC_RMID)                                   # 0
U: shmget(IPC_PRIVATE, 8192, 0600) -> n
U: shmctl(n, SHM_LOCK)                                   # 0
## CAP_IPC_LOCK knows no limit, but is on root's account
A: shmctl(m, SHM_LOCK)                                   # 0
A: setrlimit(RLIMIT_MEMLOCK, {0, 0})                     # 0
A: shmctl(m, SHM_UNLOCK)                                 # 0
A: shmctl(m, SHM_LOCK)                                   # 0
A: shmctl(m, IPC_SET, {uid=1001, gid=5, mode=0600})      # 0
W: shmctl(m, SHM_UNLOCK)                                 # 0
W: shmctl(m, SHM_LOCK)                                   # 0
W: shmctl(m, IPC_RMID)                                   # 0
## a segment marked for removal can still be locked and unlocked
U: shmat(n, 0x20000000)                                  # 0x20000000
U: shmctl(n, IPC_RMID)                                   # 0
U: shmctl(n, SHM_UNLOCK)                                 # 0
U: shmctl(n, SHM_LOCK)                                   # 0
U: exit(0)                                               # exited 0
## the whole of the default limit, and one page more
V: shmget(IPC_PRIVATE, 8 << 20, 0600) -> k
V: shmctl(k, SHM_LOCK)                                   # 0
V: shmget(IPC_PRIVATE, 1, 0600) -> k2
V: shmctl(k2, SHM_LOCK)                                  # ENOMEM
## ids that are none, indices, bad addresses
V: shmctl(99, SHM_LOCK)                                  # EINVAL
V: shmctl(-1, SHM_LOCK)                                  # EINVAL
V: prlimit64(0, RLIMIT_MEMLOCK)                          # 0
V: shmctl(k, SHM_STAT, BAD)                              # EFAULT
V: shmctl(k & 0x7fff, SHM_STAT)                          # 3
V: shmctl(k + 0x8000, SHM_STAT)                          # 3
V: shmctl(100, SHM_STAT_ANY)                             # EINVAL
V: shmctl(0, SHM_INFO, BAD)                              # EFAULT
V: shmctl(0, IPC_INFO, NULL)                             # EFAULT
V: shmctl(k, IPC_SET, BAD)                               # EFAULT
