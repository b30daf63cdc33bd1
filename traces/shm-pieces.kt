## shm-pieces: attachments in pieces: cut, protected, inherited, replaced, executed away; addresses at the edge
A: shmget(0x1, 6 * 4096, IPC_CREAT|0666) -> m
A: shmat(m, 0x20000000)                                  # 0x20000000
A: store(0x20000000, "zero")                             # 0
A: store(0x20005ffc, "last")                             # 0
## cut three times: what is left are two pieces
A: munmap(0x20001000, 0x2000)                            # 0
A: munmap(0x20000000, 0x1000)                            # 0
A: munmap(0x20004000, 0x1000)                            # 0
A: fork() -> B
## protected in part; a hole stops it
B: mprotect(0x20003000, 0x1000, PROT_READ)               # 0
B: mprotect(0x20003000, 0x3000, PROT_READ)               # ENOMEM
B: store(0x20003000, "x")                                # EFAULT
## pieces are found by where the whole was attached
B: shmdt(0x20003000)                                     # EINVAL
B: shmat(m, 0x20000000)                                  # EINVAL
B: shmat(m, 0x20000000, SHM_REMAP)                       # 0x20000000
B: shmdt(0x20000000)                                     # 0
B: shmdt(0x20000000)                                     # EINVAL
## removed: the key is free for another
A: shmctl(m, IPC_RMID)                                   # 0
A: shmctl(m, IPC_STAT)                                   # 0
A: shmget(0x1, 1, IPC_CREAT|0600) -> n
## read only stays read only
A: shmat(m, 0x30000000, SHM_RDONLY)                      # 0x30000000
A: shmat(m, 0x30000000, SHM_RDONLY|SHM_REMAP)            # 0x30000000
A: store(0x30000000, "y")                                # EFAULT
A: load(0x30000000, 4)                                   # 0
A: mprotect(0x30000000, 4096, PROT_READ|PROT_WRITE)      # EACCES
A: mprotect(0x30000000, 4096, 0)                         # 0
A: load(0x30000000, 4)                                   # EFAULT
## C shares the address space until it executes; A then leaves its own
A: fork(CLONE_VM) -> C
C: exec()
C: shmat(m, 0x20000001)                                  # EINVAL
C: shmat(m, 0x20000001, SHM_RND|SHM_EXEC)                # 0x20000000
A: exec()
A: shmctl(m, IPC_STAT)                                   # 0
C: shmctl(m, IPC_STAT)                                   # 0
kill(C, SIGKILL)                                         # C: killed SIGKILL
A: shmctl(m, IPC_STAT)                                   # EINVAL
## addresses at the edges
A: shmctl(n, IPC_SET, {uid=7, gid=8, mode=01777})        # 0
A: shmctl(n, IPC_STAT)                                   # 0
A: shmat(n, 0xfff, SHM_RND|SHM_REMAP)                    # EINVAL
A: shmat(n, 0xfff, SHM_RND)                              # 0
A: shmat(n, 0x1000)                                      # 4096
A: shmat(n, 0x1000, SHM_RND)                             # EINVAL
A: shmat(n, 0x1800, SHM_RND|SHM_REMAP)                   # 4096
A: shmat(n, -1)                                          # EINVAL
A: shmat(n, -4096)                                       # ENOMEM
A: shmat(n, -4096, SHM_REMAP)                            # ENOMEM
A: shmat(n, 0x7fffffffe000)                              # EINVAL
A: shmat(n, 0x7fffffffd000, SHM_REMAP)                   # 0x7fffffffd000
A: shmat(n, 0x800000000000)                              # ENOMEM
A: shmdt(0)                                              # 0
A: shmdt(-4096)                                          # EINVAL
A: shmdt(0x1000)                                         # 0
## and who may
spawn U uid=1000
U: shmat(n, 0x1000)                                      # EPERM if mmap_min_addr else 4096
U: setresuid(7,7,7)                                      # EPERM
spawn V uid=7
V: shmat(n, 0x1000)                                      # EPERM if mmap_min_addr else 4096
V: shmat(n, 0x10000)                                     # 65536
V: shmat(n, 0)                                           # _
V: shmctl(n, IPC_RMID)                                   # 0
V: exit(0)                                               # exited 0
