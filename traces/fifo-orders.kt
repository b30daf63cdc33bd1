## fifo-orders: FIFOs opened in every order, by path, through /proc and with O_PATH, by sleepers that signals end
A: mkdir("/tmp/d", 0755)                              # 0
A: mknod("/tmp/d/f", S_IFIFO|0640)                    # 0
A: mknod("/tmp/d/f", S_IFIFO|0640)        # EEXIST
A: stat("/tmp/d/f")                                   # 0
A: open("/tmp/d/f", O_WRONLY|O_NONBLOCK)  # ENXIO
A: open("/tmp/d/f", O_RDONLY|O_NONBLOCK) -> r
A: poll([{r, POLLIN}], 0)                             # 0
A: read(r, 10)           # 0
A: open("/tmp/d/f", O_WRONLY|O_NONBLOCK) -> w
A: read(r, 10)           # EAGAIN
A: close(w)                                           # 0
A: poll([{r, POLLIN}], 0)                             # 1
A: open("/tmp/d/f", O_RDWR) -> rw
A: poll([{r, POLLIN}, {rw, POLLIN|POLLOUT}], 0)       # 1
A: write(rw, "abc")                                   # 3
A: read(rw, 1)                                        # 1
A: open("/tmp/d/f", O_PATH) -> p
A: read(p, 1)         # EBADF
A: fcntl(p, F_GETFL)                                  # 2097152
A: fcntl(p, F_SETFL, O_NONBLOCK)      # EBADF
A: fcntl(p, F_GETPIPE_SZ)      # EBADF
A: fstat(p)                                           # 0
A: ioctl(p, FIONREAD)  # EBADF
A: poll([{p, POLLIN}], 0)                             # 1
A: dup(p) -> p2
A: close(p2)                                          # 0
A: open("/proc/self/fd/2", O_RDONLY) -> pr
A: unlink("/tmp/d/f")                                 # 0
A: open("/proc/self/fd/2", O_RDWR) -> prw
A: open("/proc/thread-self/fd/2", O_WRONLY|O_CLOEXEC) # 5
A: fstat(r)                                           # 0
A: close(r)                                           # 0
A: close(rw)                                          # 0
A: splice(p, NULL, rw, NULL, 1, 0)   # EBADF
A: tee(p, rw, 1, 0)   # EBADF
A: lseek(pr, 0, SEEK_SET)  # ESPIPE
A: pread64(pr, 1, 0)  # ESPIPE
A: open("/tmp/d/f", O_RDWR)  # ENOENT
A: open("/tmp/d/g", O_RDONLY|O_CREAT|O_EXCL, 0600) -> g
A: open("/tmp/d", O_WRONLY)  # EISDIR
A: mknod("/tmp/d/h", S_IFIFO|0666, 5)                 # 0
A: fork() -> B
A: fork() -> C
A: fork() -> D
B: open("/tmp/d/h", O_RDONLY)  # blocked
C: open("/tmp/d/h", O_RDONLY)  # blocked
D: open("/tmp/d/h", O_RDWR|O_TRUNC|O_APPEND) -> hrw
kill(D, SIGKILL)                                      # D: killed SIGKILL
B: read(9, 10)                                        # EBADF
spawn U uid=1000 gid=1000
U: open("/tmp/d/h", O_RDONLY|O_NONBLOCK) -> ur
U: open("/tmp/d/h", O_WRONLY)  # EACCES
U: open("/tmp/d/h", 3|O_NONBLOCK)       # EACCES
A: open("/tmp/d/h", 3)       # EINVAL
A: open("/tmp/d/h", O_DIRECTORY)       # ENOTDIR
A: open("/tmp/d/h", O_NOFOLLOW|O_NONBLOCK|O_DIRECT)       # EINVAL
A: open("/tmp/d/h", O_WRONLY|O_NONBLOCK) -> hw
B: poll([{1, POLLIN}], -1)                            # blocked
A: write(hw, "x")                                     # 1; B: 1
V: mknod("/tmp/f", S_IFIFO|0666)                      # 0
V: fork() -> W
V: fork() -> X
V: fork() -> Y
W: open("/tmp/f", O_WRONLY)  # blocked
X: open("/tmp/f", O_WRONLY)  # blocked
kill(W, SIGUSR1)                                      # W: EINTR
kill(X, SIGKILL)                                      # X: killed SIGKILL
W: open("/tmp/f", O_WRONLY)  # blocked
V: open("/tmp/f", O_RDONLY) -> r
W: write(0, "hello")                                  # 5
V: read(r, 3)                                         # 3
W: close(0)                                           # 0
V: read(r, 3)                                         # 2
V: read(r, 3)                                         # 0
V: close(r)                                           # 0
W: sigaction(SIGUSR1, RECORD_RESTART)                 # 0
W: open("/tmp/f", O_RDONLY) # blocked
kill(W, SIGUSR1)
Y: open("/tmp/f", O_WRONLY|O_NONBLOCK) -> dw
W: read(0, 10)  # blocked
Y: exit(0)                                            # exited 0; W: 0
W: read(0, 10)  # 0
W: sigaction(SIGUSR1, SIG_IGN)                        # 0
W: close(0)                                           # 0
W: open("/tmp/f", O_RDONLY) # blocked
kill(W, SIGUSR1)
kill(W, SIGTERM)                                      # W: EINTR
V: sigaction(SIGPIPE, SIG_DFL)                        # 0
V: pipe([x, y])                                       # 0
V: close(x)                                           # 0
V: write(y, "a")                                      # killed SIGPIPE
