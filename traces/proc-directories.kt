## proc-directories: directories of procfs that are open are those of who opened them, whoever looks below
A: pipe2([r, w], 0)                                     # 0 [0, 1]
A: open("/proc/self/fd", O_RDONLY|O_DIRECTORY) -> d     # 2
A: openat(d, "1", O_WRONLY) -> x                        # 3
A: write(x, "by a name")                                # 9
A: read(r, 100)                                         # 9 "by a name"
A: openat(d, "9", O_RDONLY)                             # ENOENT
A: openat(d, "01", O_RDONLY)                            # ENOENT
A: readlinkat(d, "1", 4)                                # 4 "pipe"
A: open("/proc/self", O_RDONLY|O_DIRECTORY) -> p        # 4
A: openat(p, "fd/0", O_RDONLY|O_NONBLOCK) -> y          # 5
A: fork() -> B
A: close(x)                                             # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [u, v])          # 0 [3, 6]
## B has the directories of A: what is below is A's, not B's
B: close(1)                                             # 0
B: openat(d, "1", O_WRONLY) -> z                        # 1
B: write(z, "through A")                                # 9
A: read(r, 100)                                         # 9 "through A"
B: openat(d, "3", O_RDWR)                               # ENXIO
B: openat(d, "6", O_PATH) -> o                          # 6
B: fstat(o)                                             # 0
B: openat(p, "fd/0", O_RDONLY|O_NONBLOCK) -> q          # 7
A: write(w, "again")                                    # 5
B: read(q, 100)                                         # 5 "again"
B: unshare(CLONE_NEWIPC)                                # 0
B: openat(p, "ns/ipc", O_RDONLY) -> n                   # 8
B: setns(n, CLONE_NEWIPC)                               # 0
A: semget(IPC_PRIVATE, 1, 0600) -> s                    # 0
B: semctl(s, 0, GETVAL)                                 # 0
## where A has no such descriptor any more, nor is there
A: close(w)                                             # 0
B: openat(d, "1", O_WRONLY)                             # ENOENT
