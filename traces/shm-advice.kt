## shm-advice: msync writes nothing back, MADV_REMOVE punches holes into a segment that everybody sees
A: shmget(IPC_PRIVATE, 4 * 4096, 0666) -> m
A: shmat(m, 0x20000000)                                  # 0x20000000
A: store(0x20000ffc, "12345678")                         # 0
A: store(0x20003000, "last")                             # 0
A: fork() -> B
A: msync(0x20000000, 0x4000, MS_SYNC)                    # 0
A: msync(0x20000000, 0x5000, MS_SYNC|MS_INVALIDATE)      # ENOMEM
A: msync(0x20000000, 0x4000, MS_SYNC|MS_ASYNC)           # EINVAL
A: msync(0x20000001, 1, MS_ASYNC)                        # EINVAL
A: msync(0x20000000, 0, 8)                               # EINVAL
A: msync(0x60000000, 0, MS_SYNC)                         # 0
## the second page goes, for all
A: madvise(0x20001000, 0x1000, MADV_REMOVE)              # 0
B: load(0x20000ffc, 8)                                   # 0
A: shmctl(0, SHM_INFO)                                   # 0
## letting go of a mapping's pages loses nothing of a segment
A: madvise(0x20000000, 0x4000, MADV_DONTNEED)            # 0
A: load(0x20000ffc, 4)                                   # 0
A: madvise(0x20000000, 0x4000, MADV_WILLNEED)            # 0
A: madvise(0x20003000, 0x2000, MADV_REMOVE)              # ENOMEM
A: madvise(0x20000800, 0x1000, MADV_REMOVE)              # EINVAL
A: madvise(0x20000000, -1, MADV_REMOVE)                  # EINVAL
A: madvise(0x20000000, 0, MADV_REMOVE)                   # 0
## one that might be written again gives them up, a read-only attachment does not; private memory has no file
B: mprotect(0x20000000, 0x1000, PROT_READ)               # 0
B: madvise(0x20000000, 0x1000, MADV_REMOVE)              # 0
B: shmdt(0x20000000)                                     # 0
B: shmat(m, 0x30000000, SHM_RDONLY)                      # 0x30000000
B: madvise(0x30000000, 0x1000, MADV_REMOVE)              # EACCES
B: mmap(0x40000000, 0x2000, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x40000000
B: store(0x40000ffc, "12345678")                         # 0
B: madvise(0x40000000, 0x1000, MADV_REMOVE)              # EINVAL
B: madvise(0x40001000, 0x1000, MADV_DONTNEED)            # 0
B: load(0x40000ffc, 8)                                   # 0
## removed and gone: what it held is gone with it
A: shmctl(m, IPC_RMID)                                   # 0
A: madvise(0x20000000, 0x1000, MADV_REMOVE)              # 0
A: shmdt(0x20000000)                                     # 0
B: load(0x30000000, 4)                                   # 0
B: exit(0)                                               # exited 0
A: shmctl(m, IPC_STAT)                                   # EINVAL
