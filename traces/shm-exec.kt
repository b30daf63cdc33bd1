## shm-exec: execve and SIGKILL detach; a fixed address, rounding and remapping
A: shmget(0x51, 4096, IPC_CREAT|0666) -> m
A: fork() -> B
B: shmat(m, 0x20000000) -> b                # 0x20000000
B: shmat(m, 0x20000000)                     # EINVAL
B: shmat(m, 0x20000123)                     # EINVAL
B: shmat(m, 0x20001123, SHM_RND)            # 0x20001000
B: shmat(m, 0x20001000, SHM_REMAP)          # 0x20001000
B: shmat(m, NULL, SHM_REMAP)                # EINVAL
B: store(b, "kept")
B: load(b + 4096, 4)                        # "kept"
A: shmctl(m, IPC_STAT)                      # 0 {shm_nattch=2}
B: exec()                                   # 0
A: shmctl(m, IPC_STAT)                      # 0 {shm_nattch=0}
B: load(b, 4)                               # EFAULT
B: shmat(m) -> b2
B: load(b2, 4)                              # "kept"
kill(B, SIGKILL)                            # B: killed SIGKILL
A: shmctl(m, IPC_STAT)                      # 0 {shm_nattch=0}
A: shmctl(m, IPC_RMID)                      # 0
A: shmget(0x51, 0, 0)                       # ENOENT
