## pipe-ranges: shared descriptor tables: dup3, close_range, closing under a sleeper, exec
A: pipe([r, w])                                       # 0
A: dup3(r, r, 0)         # EINVAL
A: dup3(r, 9, O_CLOEXEC)                              # 9
A: dup3(r, 9, O_NONBLOCK)      # EINVAL
A: dup3(77, 9, 0)      # EBADF
A: dup3(r, -1, 0)      # EBADF
A: dup3(r, 4096, 0)      # EBADF
A: dup3(r, 1023, 0)     # 1023
A: dup2(r, 1024)     # EBADF
A: dup2(77, 77)     # EBADF
A: dup2(r, r)     # 0
A: dup2(w, 9)     # 9
A: fcntl(9, F_GETFD)                                  # 0
A: fcntl(r, F_DUPFD, 5000)  # EINVAL
A: fcntl(r, F_DUPFD, 1023)                            # EMFILE
A: fcntl(r, F_DUPFD, -1)  # EINVAL
A: fcntl(r, F_DUPFD_CLOEXEC, 100)  # 100
A: fcntl(r, F_SETFD, 3)                               # 0
A: fcntl(r, F_GETFD)                                  # 1
A: fcntl(r, F_SETFD, 2)                               # 0
A: fcntl(r, F_GETFD)                                  # 0
A: close_range(5, 3, 0)   # EINVAL
A: close_range(5, 8, 1)   # EINVAL
A: close_range(90, -1, CLOSE_RANGE_CLOEXEC)           # 0
A: fork(CLONE_FILES) -> B
B: close_range(90, 2000, CLOSE_RANGE_UNSHARE)         # 0
A: write(100, "x")   # EBADF
B: close_range(0, -1, CLOSE_RANGE_UNSHARE|CLOSE_RANGE_CLOEXEC)# 0
B: exec()                                             # 0
B: close(0)      # EBADF
A: fork(CLONE_FILES) -> C
C: close_range(3, -1, CLOSE_RANGE_UNSHARE|CLOSE_RANGE_CLOEXEC)# 0
C: exec()                                             # 0
A: fcntl(1023, F_GETFD)                               # 1
A: close_range(-1, -1, 0)                             # 0
A: close_range(4294967296, 3, 0)                      # 0
A: setrlimit(RLIMIT_NOFILE, {3, 4096})                # 0
A: pipe([x, y])                                       # 0
A: close(r)                                           # 0
A: pipe([x, y])                                       # 0
A: dup(w) -> d
A: pipe2([x, y], O_CLOEXEC)                           # EMFILE
A: pipe2([x, y], 0x123)   # EINVAL
A: close(w)                                           # 0
A: pipe2(BAD, O_CLOEXEC)                              # EMFILE
A: pipe2(NULL, O_DIRECT)                              # EMFILE
A: pipe(BAD)                                          # EMFILE
V: pipe([r, w])                                       # 0
V: fork(CLONE_FILES) -> W
V: read(r, 10)     # blocked
W: close(r)                                           # 0
W: write(w, "x")                                      # 1; V: 1
W: write(w, "x")                                      # EPIPE
V: pipe([r, w2])                                      # 0
V: read(r, 10)     # blocked
W: dup2(w, r)                                         # 0
W: close(w2)                                          # 0; V: 0
V: poll([{r, POLLIN|POLLOUT}], 0)                     # 1
V: pipe([r3, w3])                                     # 0
V: poll([{r3, POLLIN}], -1)   # blocked
W: close(r3)                                          # 0
W: write(w3, "a")                                     # 1; V: 1
W: close_range(0, -1, 0)                              # 0
V: pipe([r, w])                                       # 0
V: epoll_create1(0) -> ep
V: epoll_ctl(ep, EPOLL_CTL_ADD, r, {EPOLLIN, 1})      # 0
V: epoll_wait(ep, 5, -1)  # blocked
W: close(ep)                                          # 0
W: write(w, "hello")                                  # 5; V: 1
W: fork() -> X
X: read(r, 2)                                         # 2
V: read(r, 10)                                        # 3
X: read(r, 10)     # blocked
V: fork() -> Y
Y: read(r, 10)     # blocked
W: fork() -> Z
Z: write(w, "ab")                                     # 2; X: 2
Z: write(w, "cd")                                     # 2; Y: 2
X: fcntl(r, F_SETFL, O_NONBLOCK)                      # 0
Y: read(r, 10)     # EAGAIN
W: exec()                                             # 0
V: read(r, 1)                                         # EAGAIN
Z: write(w, "x" * 65536)                              # 65536
Z: fcntl(w, F_SETFL, 0)                               # 0
Z: write(w, "y")    # blocked
Y: write(w, "z" * 5000)   # blocked
W: fcntl(w, F_SETFL, O_NONBLOCK)                      # 0
V: read(r, 4096)                                      # 4096; Z: 1
kill(Z, SIGKILL)                                      # Z: killed SIGKILL
V: read(r, 100)                                       # 100
V: read(r, 4096)                                      # 4096; Y: 4096
V: read(r, 65536)                                     # 61341
V: read(r, 65536)                                     # EAGAIN
