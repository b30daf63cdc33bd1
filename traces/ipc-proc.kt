## ipc-proc: /proc/sysvipc in pieces and at offsets, by others, in other namespaces
A: open("/proc/sysvipc/sem", O_RDONLY) -> f
A: read(f, 1000)                                         # 85
A: semget(0x11, 3, IPC_CREAT|0640) -> s
A: semget(-5, 2, IPC_CREAT|0600) -> t
A: read(f, 1000)                                         # 170
## from the beginning again: reading takes the array's global lock
A: lseek(f, 0, SEEK_SET)                                 # 0
A: read(f, 1000)                                         # 255
A: semop(t, [{0, 1, 0}])                                 # 0
A: semop(t, [{0, 1, 0}]) * 9                              # 0
## at offsets, in the middle of a line
A: pread64(f, 100, 90)                                   # 100
A: pread64(f, 10, 0)                                     # 10
A: read(f, 10)                                           # 0
A: read(f, 1000)                                         # 0
A: read(f, 1000)                                         # 0
A: fork() -> B
## while a complex operation sleeps
B: semop(s, [{0, -1, 0}, {1, 0, 0}])                     # blocked
A: lseek(f, 20, SEEK_SET)                                # 20
A: read(f, 80)                                           # 80
## queues and segments
A: open("/proc/sysvipc/msg", O_RDONLY) -> g
A: open("/proc/sysvipc/shm", O_RDWR) -> h
A: msgget(7, IPC_CREAT|0666) -> q
A: msgsnd(q, {1, "hello"})                               # 0
A: shmget(8, 5000, IPC_CREAT|0606) -> m
A: shmat(m, 0x20000000)                                  # 0x20000000
A: store(0x20000000, "x")                                # 0
A: read(g, 1000)                                         # 240
A: read(h, 1000)                                         # 340
A: write(h, "x")                                           # EIO
A: shmctl(m, IPC_RMID)                                   # 0
A: pread64(h, 1000, 0)                                   # 340
## others see them all the same
spawn C uid=1000 gid=1000
C: open("/proc/sysvipc/msg", O_RDWR)                     # EACCES
C: open("/proc/sysvipc/msg", O_RDONLY) -> c
C: read(c, 0x20000000, 10)                               # EFAULT
C: read(c, 200)                                          # 200
C: msgrcv(q, 10)                                         # 5 1 "hello"
C: lseek(c, 0, SEEK_SET)                                 # 0
C: read(c, 200)                                          # 200
C: lseek(c, 0, SEEK_END)                                 # EINVAL
C: lseek(c, -1, SEEK_SET)                                # EINVAL
A: fork() -> D
## an open file shows the namespace of who opened it
D: unshare(CLONE_NEWIPC)                                 # 0
D: pread64(g, 1000, 0)                                   # 240
D: open("/proc/sysvipc/msg", O_RDONLY) -> i
D: msgget(IPC_PRIVATE, 0) -> x
D: read(i, 1000)                                         # 240
D: unshare(CLONE_NEWIPC)                                 # 0
D: pread64(i, 1000, 0)                                   # 240
D: msgctl(x, IPC_STAT)                                   # EINVAL
D: close(i)                                              # 0
D: exit(0)                                               # exited 0
## the same by another way
A: shmctl(m, IPC_STAT, 0x20000010)                       # 0
A: load(0x20000010, 112)                                 # 0
