## ipc-namespaces: keys and ids of one's own, and what becomes of a namespace that everybody leaves
A: semget(0x31, 1, IPC_CREAT|0600) -> s
A: semop(s, [{0, 5, SEM_UNDO}])                          # 0
A: shmget(0x32, 4096, IPC_CREAT|0600) -> m
A: shmat(m, 0x20000000)                                  # 0x20000000
A: fork() -> B
## B leaves: its own undo list is applied, here an empty one
B: unshare(CLONE_NEWIPC)                                 # 0
B: semctl(s, 0, GETVAL)                                  # EINVAL
B: semget(0x31, 1, 0)                                    # ENOENT
B: semget(0x31, 2, IPC_CREAT|0600) -> t
B: msgget(0x31, IPC_CREAT|0600) -> q
B: msgsnd(q, {1, "in here only"})                        # 0
## the segment of the old namespace is still there, and can be detached
B: load(0x20000000, 1)                                   # 0
B: shmctl(m, IPC_STAT)                                   # EINVAL
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=2}
B: shmdt(0x20000000)                                     # 0
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=1}
## a child is in the same namespace
B: fork() -> C
C: semctl(t, 1, SETVAL, 3)                               # 0
C: shmget(IPC_PRIVATE, 8192, 0600) -> n
C: shmat(n, 0x30000000)                                  # 0x30000000
C: shmctl(0, SHM_INFO)                                   # 0 {used_ids=1, shm_tot=2}
## C moves on, and keeps its segment and with it the namespace alive
C: unshare(CLONE_NEWIPC)                                 # 0
B: exit(0)                                               # exited 0
C: store(0x30000000, "still here")                       # 0
C: shmdt(0x30000000)                                     # 0
## A leaves, too: its semaphores are paid back
A: unshare(CLONE_NEWIPC|CLONE_SYSVSEM)                   # 0
spawn D
D: semctl(s, 0, GETVAL)                                  # 0
spawn U uid=1000
U: unshare(CLONE_NEWIPC)                                 # EPERM
