## shm-attach: where and how a segment may be attached, detached and cut
A: shmget(IPC_PRIVATE, 5 * 4096, 0664) -> m
A: shmget(IPC_PRIVATE, 100, 0600) -> n
spawn U uid=1000 gid=1000
## the kernel chooses from the top
A: shmat(m) -> p
A: shmat(n) -> q
A: shmdt(p)                                              # 0
A: shmat(n) -> r
## fixed addresses
A: shmat(m, 0x20000800)                                  # EINVAL
A: shmat(m, 0x20000800, SHM_RND)                         # 0x20000000
A: shmat(n, 0x20001000)                                  # EINVAL
A: shmat(n, 0x20001000, SHM_REMAP)                       # 0x20001000
A: shmat(n, 0, SHM_REMAP)                                # EINVAL
A: shmat(n, 0x7ffffffff000)                              # ENOMEM
A: shmat(m + 1000, 0x30000000)                           # EINVAL
A: shmat(-1, 0x30000000)                                 # EINVAL
## rights
U: shmat(m, 0x20000000)                                  # EACCES
U: shmat(m, 0x20000000, SHM_RDONLY|SHM_EXEC)             # EACCES
U: shmat(m, 0x20000000, SHM_RDONLY)                      # 0x20000000
U: mprotect(0x20000000, 4096, PROT_READ|PROT_WRITE)      # EACCES
U: shmat(n, 0x30000000, SHM_RDONLY)                      # EACCES
## what lies around the new one still belongs to the old one
A: store(0x20000000, "first page")                       # 0
A: store(0x20002000, "third page")                       # 0
U: load(0x20000000, 10)                                  # 0 "first page"
U: load(0x20002000, 10)                                  # 0 "third page"
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=3}
## cut in pieces
A: munmap(0x20003000, 4096)                              # 0
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=4}
A: mprotect(0x20004000, 4096, PROT_READ)                 # 0
A: store(0x20004000, "x")                                # EFAULT
## one call takes away all that is left of it, and nothing else
A: shmdt(0x20001000)                                     # 0
A: shmdt(0x20002000)                                     # EINVAL
A: shmdt(0x20000000)                                     # 0
A: load(0x20002000, 1)                                   # EFAULT
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=1}
A: shmdt(0x20000001)                                     # EINVAL
## a child has them, too; a thread-like one has the same
A: fork() -> B
A: fork(CLONE_VM) -> C
A: shmctl(n, IPC_STAT)                                   # 0 {shm_nattch=4}
C: shmdt(r)                                              # 0
A: shmctl(n, IPC_STAT)                                   # 0 {shm_nattch=3}
A: exit(0)                                               # exited 0
C: shmctl(n, IPC_STAT)                                   # 0 {shm_nattch=3}
C: exit(0)                                               # exited 0
B: shmctl(n, IPC_STAT)                                   # 0 {shm_nattch=2}
