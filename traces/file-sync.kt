## file-sync: fsync() and fdatasync(): nothing to do for files in memory, EINVAL for what has no medium
A: open("f", O_CREAT|O_RDWR, 0600) -> f            # 0
A: write(f, "in memory")                           # 9
A: fsync(f)                                        # 0
A: fdatasync(f)                                    # 0
A: open("f", O_RDONLY) -> r                        # 1
A: fsync(r)                                        # 0
A: memfd_create("m", 0) -> m                       # 2
A: fdatasync(m)                                    # 0
A: mkdir("d", 0700)                                # 0
A: open("d", O_RDONLY|O_DIRECTORY) -> d            # 3
A: fsync(d)                                        # 0
A: open("f", O_PATH) -> p                          # 4
A: fsync(p)                                        # EBADF
A: pipe2([in, out], 0)                             # 0 [5, 6]
A: fsync(in)                                       # EINVAL
A: fdatasync(out)                                  # EINVAL
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: fsync(a)                                        # EINVAL
A: epoll_create1(0) -> e                           # 9
A: fsync(e)                                        # EINVAL
A: eventfd2(0, 0) -> v                             # 10
A: fdatasync(v)                                    # EINVAL
A: timerfd_create(CLOCK_MONOTONIC, 0) -> t         # 11
A: fsync(t)                                        # EINVAL
A: open("/dev/null", O_RDWR) -> n                  # 12
A: fsync(n)                                        # EINVAL
A: open("/proc/self/maps", O_RDONLY) -> maps       # 13
A: fsync(maps)                                     # EINVAL
A: open("/proc/sys/kernel/msgmax", O_RDONLY) -> s  # 14
A: fsync(s)                                        # EINVAL
## a file that nobody can find any more is one still
A: unlink("f")                                     # 0
A: fsync(f)                                        # 0
A: close(f)                                        # 0
A: fsync(f)                                        # EBADF
A: fdatasync(-1)                                   # EBADF
