## cloexec-reserved: close_range() marks descriptors that are taken, though their files are not there yet
A: mkfifo("/tmp/p", 0600)                             # 0
A: socket(AF_UNIX, SOCK_STREAM, 0) -> s               # 0
A: bind(s, unix("/tmp/s"))                            # 0
A: listen(s, 4)                                       # 0
A: fork(CLONE_FILES) -> B
A: fork(CLONE_FILES) -> C
A: accept4(s, NULL, 0, 0)                             # blocked
B: open("/tmp/p", O_RDONLY)                           # blocked
C: close_range(2, 90, CLOSE_RANGE_CLOEXEC)            # 0
C: dup(s)                                             # 3
C: fcntl(3, F_GETFD)                                  # 0
D: socket(AF_UNIX, SOCK_STREAM, 0) -> c               # 0
D: connect(c, unix("/tmp/s"))                         # 0; A: 1
D: open("/tmp/p", O_WRONLY)                           # 1; B: 2
A: fcntl(1, F_GETFD)                                  # 0
A: fcntl(2, F_GETFD)                                  # 1
A: accept4(s, NULL, 0, SOCK_CLOEXEC)                  # blocked
C: close_range(0, 90, CLOSE_RANGE_UNSHARE|CLOSE_RANGE_CLOEXEC)  # 0
D: socket(AF_UNIX, SOCK_STREAM, 0) -> c2              # 2
D: connect(c2, unix("/tmp/s"))                        # 0; A: 4
A: fcntl(4, F_GETFD)                                  # 1
A: accept4(s, NULL, 0, 0)                             # blocked
B: close_range(5, 5, CLOSE_RANGE_CLOEXEC)             # 0
B: close_range(3, 6, 0)                               # 0
D: socket(AF_UNIX, SOCK_STREAM, 0) -> c3              # 3
D: connect(c3, unix("/tmp/s"))                        # 0; A: 5
A: fcntl(5, F_GETFD)                                  # 1
A: exec()                                             # 0
A: fcntl(s, F_GETFD)                                  # 0
C: exec()                                             # 0
C: fcntl(s, F_GETFD)                                  # EBADF
B: fcntl(2, F_GETFD)                                  # 1
