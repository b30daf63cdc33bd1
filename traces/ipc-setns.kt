## ipc-setns: namespaces held open as files, entered and left, and what is paid on the way
A: open("/proc/self/ns/ipc", O_RDONLY|O_CLOEXEC) -> home
A: semget(0x11, 1, IPC_CREAT|0600) -> s
A: semop(s, [{0, 5, SEM_UNDO}])                          # 0
A: unshare(CLONE_NEWIPC)                                 # 0
A: semget(0x12, 1, IPC_CREAT|0600) -> t
A: semop(t, [{0, 3, SEM_UNDO}])                          # 0
A: shmget(IPC_PRIVATE, 4096, 0600) -> m
A: open("/proc/self/ns/ipc", O_RDONLY) -> away
A: fcntl(away, F_GETFD)                                  # 0
## home again: what was owed over there is paid, the list of segments is kept
A: setns(home, CLONE_NEWIPC)                             # 0
A: semctl(s, 0, GETVAL)                                  # 0
A: semget(0x12, 1, 0)                                    # ENOENT
## only the descriptor keeps the other one alive
A: fork() -> B
B: setns(away, 0)                                        # 0
B: semget(0x12, 1, 0)                                    # t
B: semctl(t, 0, GETVAL)                                  # 0
B: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=0}
A: close(away)                                           # 0
B: setns(home, CLONE_NEWIPC)                             # 0
B: setns(away, 0)                                        # 0
B: close(away)                                           # 0
## with B it all goes, m too
B: exit(0)                                               # exited 0
## not every descriptor is one, and not everybody may
A: pipe2([r, w], 0)                                      # 0
A: setns(r, 0)                                           # EINVAL
A: setns(99, 0)                                          # EBADF
A: setns(home, CLONE_NEWNS)                              # EINVAL
A: read(home, 1)                                         # EINVAL
spawn U uid=1000
U: open("/proc/self/ns/ipc", O_RDONLY) -> own
U: setns(own, 0)                                         # EPERM
## a child may be born elsewhere
A: fork(CLONE_NEWIPC) -> C
C: semget(0x11, 1, 0)                                    # ENOENT
C: exec()
C: setns(home, 0)                                        # EBADF
A: fork(CLONE_NEWIPC|CLONE_SYSVSEM) -> D                 # EINVAL
