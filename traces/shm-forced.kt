## shm-forced: segments without users: removed, revived, orphaned by exit and unshare, shm_rmid_forced
A: shmget(0x9, 4096, IPC_CREAT|0666) -> m
A: shmget(IPC_PRIVATE, 4096, 0666) -> n
spawn B
## p is removed while A has it, inherited by C, and attached once more by its id
B: shmat(m, 0x20000000)                                  # 0x20000000
B: shmget(IPC_PRIVATE, 4096, 0666) -> o
B: shmget(IPC_PRIVATE, 4096, 0666) -> p
A: shmat(p, 0x20000000)                                  # 0x20000000
A: shmctl(p, IPC_RMID)                                   # 0
A: fork() -> C
A: shmdt(0x20000000)                                     # 0
C: shmat(p, 0x30000000)                                  # 0x30000000
C: shmdt(0x20000000)                                     # 0
## o and n: nobody uses o, and its creator goes
B: exit(0)                                               # exited 0
## from now on what has neither user nor creator goes at once: o
sysctl("kernel/shm_rmid_forced", "1")
A: shmctl(o, IPC_STAT)                                   # EINVAL
A: shmctl(p, IPC_STAT)                                   # 0
## C leaves, and keeps p attached; what it creates elsewhere outlives it only through D
C: unshare(CLONE_NEWIPC)                                 # 0
A: shmctl(p, IPC_STAT)                                   # 0
C: fork() -> D
C: shmget(0x9, 4096, IPC_CREAT|0600) -> x
C: shmat(x, 0x40000000)                                  # 0x40000000
D: shmat(x, 0x40000000)                                  # 0x40000000
## D still has x attached, whose creator is gone
C: exit(0)                                               # exited 0
D: shmdt(0x40000000)                                     # 0
D: shmctl(x, IPC_STAT)                                   # 0
D: shmdt(0x30000000)                                     # 0
A: shmctl(p, IPC_STAT)                                   # EINVAL
## removal of a locked segment gives the pages back to the account
A: shmctl(m, SHM_LOCK)                                   # 0
A: shmctl(m, IPC_RMID)                                   # 0
A: exit(0)                                               # exited 0
spawn E
E: shmctl(0, SHM_INFO)                                   # 0
## under shm_rmid_forced the last detach is the end, even a failed attach is
E: shmget(IPC_PRIVATE, 1, 0600) -> e
E: shmat(e, 0x20000000)                                  # 0x20000000
E: munmap(0x20000000, 1)                                 # 0
E: shmctl(e, IPC_STAT)                                   # EINVAL
E: shmget(IPC_PRIVATE, 1, 0600) -> e
E: shmat(e, 0x400000)                                    # EINVAL
E: shmget(IPC_PRIVATE, 1, 0600) -> e
E: unshare(CLONE_NEWIPC)                                 # 0
spawn F
F: shmctl(e, IPC_STAT)                                   # EINVAL
## G may still change what F created, until F goes
F: fork() -> G
F: shmget(IPC_PRIVATE, 1, 0600) -> f
G: shmctl(f, IPC_SET, {uid=3, gid=3, mode=0})            # 0
F: exit(2)                                               # exited 2
