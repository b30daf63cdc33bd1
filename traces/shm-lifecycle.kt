## shm-lifecycle: a segment attached, shared by fork, removed while in use, gone with its last user
A: shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) -> m
A: shmctl(m, IPC_STAT)                      # 0 {shm_segsz=5000, shm_nattch=0}
A: shmat(m, 0x20000000) -> p
A: store(p, "shared")
A: fork() -> B
A: shmctl(m, IPC_STAT)                      # 0 {shm_segsz=5000, shm_nattch=2}
B: load(p, 6)                               # "shared"
B: store(p + 4096, "by B")
A: load(p + 4096, 4)                        # "by B"
## the last page is whole, but nothing lies behind it
A: load(p + 5000, 4)                        # "\x00\x00\x00\x00"
A: load(p + 8192, 1)                        # EFAULT
B: shmat(m, NULL, SHM_RDONLY) -> ro
B: load(ro, 6)                              # "shared"
B: store(ro, "no")                          # EFAULT
B: shmdt(ro)                                # 0
B: shmdt(ro)                                # EINVAL
A: shmctl(m, IPC_RMID)                      # 0
A: shmctl(m, IPC_STAT)                      # 0 {shm_perm={mode=SHM_DEST|0600}, shm_nattch=2}
B: load(p, 6)                               # "shared"
## it can still be attached by its id
B: shmat(m) -> again
B: load(again, 6)                           # "shared"
B: exit(0)                                  # exited 0
A: shmctl(m, IPC_STAT)                      # 0 {shm_nattch=1}
A: shmdt(p)                                 # 0
A: shmctl(m, IPC_STAT)                      # EINVAL
A: load(p, 1)                               # EFAULT
A: shmget(IPC_PRIVATE, 0, 0600)             # EINVAL
A: shmat(m)                                 # EINVAL
A: shmdt(p)                                 # EINVAL
