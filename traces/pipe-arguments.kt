## pipe-arguments: bad addresses in the middle, partial pages, offsets, chains of tee, calls with every odd argument
A: mmap(0x10000000, 65536, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED)
A: store(0x10000100, "hello partial page")            # 0
A: pipe([r, w])                                       # 0
A: pipe([r2, w2])                                     # 0
A: pipe([r3, w3])                                     # 0
A: vmsplice(w, [{0x10000100, 5}, {0x10000106, 7}], 0)   # 12
A: vmsplice(w, [{0x10000ff0, 32}], SPLICE_F_GIFT)     # 32
A: vmsplice(w, [{0x10005000, 8192}, {0xbad000, 5}], SPLICE_F_GIFT|SPLICE_F_MOVE)# 8192
A: vmsplice(w, [{0xbad000, 5}], 0)    # EFAULT
A: vmsplice(w, [{0x10000100, 0}], 0)    # 0
A: vmsplice(w, [], 0)    # 0
A: vmsplice(w, [{0x10000100, 5}], 16)   # EINVAL
A: vmsplice(w, BAD, 0, nr_segs=1)   # EFAULT
A: vmsplice(w, BAD, 0, nr_segs=1025)   # EINVAL
A: store(0x10000100, "JELLO")                         # 0
A: tee(r, w2, 8, 0)    # 8
A: tee(r2, w3, 100, 0)    # 8
A: tee(r3, w3, 100, 0)    # EINVAL
A: tee(r3, w, 3, 0)    # 3
A: read(r3, 6)                                        # 6
A: store(0x10000102, "ABC")                           # 0
A: read(r2, 100)                                      # 8
A: read(r, 12)                                        # 12
A: vmsplice(r, [{0x10000200, 10}, {0x10000300, 20}], 0)# 30
A: load(0x10000200, 10)                               # 0
A: vmsplice(r, [{0xbad000, 5}], 0)    # EFAULT
A: vmsplice(r, [{0x10000200, 10}, {0xbad000, 5}], 0)  # 2
A: munmap(0x10005000, 4096)                           # 0
A: read(r, 20000)                                     # 8195
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: write(f, "0123456789" * 2000)                      # 20000
A: splice(f, 4090, w, NULL, 12, 0)                    # 12
A: splice(f, 20000, w, NULL, 12, 0)   # 0
A: splice(f, 19995, w, NULL, 12, 0)   # 5
A: splice(f, -1, w, NULL, 12, 0)   # EINVAL
A: splice(f, BAD, w, NULL, 12, 0)   # EFAULT
A: splice(f, NULL, w, 5, 12, 0)   # ESPIPE
A: lseek(f, 100, SEEK_SET)                            # 100
A: splice(f, NULL, w, NULL, 12, 0)                    # 12
A: lseek(f, 0, SEEK_CUR)                              # 112
A: splice(r, NULL, f, 4094, 8, 0)                     # 8
A: pread64(f, 12, 4090)                               # 12
A: splice(r, NULL, f, NULL, 5, 0)                     # 5
A: splice(r, NULL, f, 30000, 5, 0)                    # 5
A: fstat(f)                                           # 0
A: splice(r, NULL, f, 9223372036854775807, 5, 0)   # EINVAL
A: splice(r, NULL, f, BAD, 5, 0)   # EFAULT
A: splice(r, NULL, f, NULL, 0, 77)   # 0
A: splice(r, NULL, f, NULL, 1, 77)   # EINVAL
A: splice(77, NULL, f, NULL, 1, 0)   # EBADF
A: splice(r, NULL, 77, NULL, 1, 0)   # EBADF
A: splice(w, NULL, f, NULL, 1, 0)   # EBADF
A: splice(f, NULL, r, NULL, 1, 0)   # EBADF
A: open("/tmp/file", O_RDONLY) -> ro
A: splice(r, NULL, ro, NULL, 1, 0)   # EBADF
A: sendfile(w, f, 4000, 200)                          # 200
A: sendfile(w, ro, NULL, 10)                          # 10
A: sendfile(w, r, NULL, 10)                           # EINVAL
A: sendfile(f, r, NULL, 10)    # EINVAL
A: sendfile(w, f, BAD, 10)    # EFAULT
A: sendfile(w, f, -5, 10)    # EINVAL
A: sendfile(w, f, 0, -1)    # EINVAL
A: sendfile(w, f, 0, 0)    # 0
A: sendfile(f, f, 0, 100)                             # 100
A: read(r, 65536)                                     # 221
A: open("/tmp/dir", O_RDONLY)     # ENOENT
A: mkdir("/tmp/dir", 0700)                            # 0
A: open("/tmp/dir", O_RDONLY) -> d
A: splice(d, NULL, w, NULL, 1, 0)                     # EINVAL
A: sendfile(w, d, NULL, 1)                            # EINVAL
A: memfd_create("m", 0) -> m
A: write(m, "memfd")                                  # 5
A: splice(m, 0, w, NULL, 5, 0)                        # 5
A: ftruncate(m, 3)                                    # 0
A: read(r, 10)                                        # 5
A: open("/tmp/file", O_WRONLY|O_APPEND) -> ap
A: write(w, "zz")                                     # 2
A: splice(r, NULL, ap, NULL, 1, 0)     # EINVAL
A: sendfile(ap, f, NULL, 1)      # EINVAL
A: splice(r, NULL, w2, NULL, 1, SPLICE_F_GIFT)        # 1
A: splice(r, NULL, w2, NULL, -1, SPLICE_F_MOVE|SPLICE_F_MORE)# 1
A: tee(r2, w, -1, 0)                                  # 2
A: tee(r2, w, 0, 0)                                   # 0
A: tee(r2, w, 1, 32)  # EINVAL
A: tee(w2, w, 1, 0)  # EBADF
A: tee(r2, r, 1, 0)  # EBADF
A: tee(f, w, 1, 0)  # EINVAL
A: tee(77, w, 1, 0)  # EBADF
Z: pipe([r, w])                                       # 0
Z: writev(w, ["abc", {0xbad000, 5}, "def"])           # EFAULT
Z: writev(w, [{0xbad000, 5}, "def"])       # EFAULT
Z: writev(w, ["x" * 4096, {0xbad000, 5}])             # 4096 if pipe_write_whole else 5
Z: writev(w, ["x" * 4000, {0xbad000, 200}])           # EFAULT if pipe_write_whole else 104
Z: writev(w, ["x" * 4090, {0xbad000, 10}, "y"])       # EFAULT if pipe_write_whole else 5
Z: ioctl(r, FIONREAD)                                 # 0
Z: read(r, 10, buf=BAD)          # EFAULT
Z: readv(r, [2, {0xbad000, 5}, 10])                   # EFAULT
Z: readv(r, [2, 0, 4])                                # 6
Z: readv(r, [{0xbad000, 5}])                          # EFAULT
Z: readv(r, [1] * 1024)                               # 1024 if pipe_write_whole else 108
Z: readv(r, [1] * 1025)      # EINVAL
Z: readv(r, [])                                       # 0
Z: writev(w, [])                                      # 0
Z: writev(w, ["a"] * 1024)                            # 1024
Z: writev(w, ["a"] * 1025)     # EINVAL
Z: writev(w, [""])                                    # 0
Z: writev(w, BAD, iovcnt=1)      # EFAULT
Z: writev(w, BAD, iovcnt=0)                           # 0
Z: writev(w, ["a"], iovcnt=-1)   # EINVAL
Z: writev(w, [{0x1000, -1}])   # EINVAL
Z: write(w, BAD, count=0)                             # 0
Z: read(r, 0, buf=BAD)                                # 0
Z: write(w, BAD, count=5)     # EFAULT
Z: read(r, 100000)                                    # 4090 if pipe_write_whole else 1024
Z: pipe2([pr, pw], O_DIRECT|O_NONBLOCK)               # 0
Z: write(pw, "p1")                                    # 2
Z: writev(pw, ["p2", "p3", {0xbad000, 3}])            # EFAULT
Z: write(pw, "z" * 5000)                              # 5000
Z: readv(pr, [1, 5])                                  # 2
Z: readv(pr, [1, {0xbad000, 5}])                      # EFAULT if pipe_write_whole else 0
Z: read(pr, 100)                                      # 100
Z: read(pr, 4095)                                     # 904
Z: read(pr, 4097)                                     # EAGAIN
Z: read(pr, 4097)                                     # EAGAIN
Z: fcntl(pw, F_SETFL, O_NONBLOCK)                     # 0
Z: write(pw, "a")                                     # 1
Z: write(pw, "b")                                     # 1
Z: fcntl(pw, F_SETFL, O_NONBLOCK|O_DIRECT)            # 0
Z: write(pw, "c")                                     # 1
Z: fcntl(pw, F_SETFL, O_NONBLOCK)                     # 0
Z: write(pw, "d")                                     # 1
Z: read(pr, 10)                                       # 4
Z: read(pr, 10)                                       # EAGAIN
Z: read(pr, 10)                                       # EAGAIN
Z: fcntl(pw, F_SETPIPE_SZ, 4096)                      # 4096
Z: write(pw, "q" * 4097)                              # 4096
Z: write(pw, "q")         # EAGAIN
Z: writev(pw, [{0xbad000, 10}])                       # EAGAIN
Z: read(pr, 4096)                                     # 4096
Z: writev(pw, [{0xbad000, 10}])    # EFAULT
Z: read(pr, 4096)                                     # EAGAIN
Z: poll([{pr, POLLIN}, {pw, POLLOUT}], 0)             # 1
Z: pread64(pr, 1, 0)   # ESPIPE
Z: pread64(pr, 1, -1)   # EINVAL
Z: pwrite64(pw, "a", 0)   # ESPIPE
Z: preadv(pr, [1], 0)    # ESPIPE
Z: pwritev(pw, ["a"], 0)    # ESPIPE
Z: pwritev(pw, ["a"], -1)    # EINVAL
Z: lseek(pr, 0, 9)      # EINVAL
Z: lseek(pr, 0, SEEK_END)      # ESPIPE
Z: read(pw, 1)   # EBADF
Z: write(pr, "x")   # EBADF
Z: read(-1, 1)    # EBADF
Z: read(pr, -1)                                       # EFAULT
Z: write(pw, "abc", count=9223372036854775807)        # EFAULT
Z: ftruncate(pw, 0)   # EINVAL
Z: fstat(pr, BAD)                                     # EFAULT
V: mkfifo("/tmp/f", 0640)                             # 0
V: mkfifo("/tmp/f", 0640)       # EEXIST
V: mkfifo(BAD, 0640)       # EFAULT
V: stat("/tmp/f")                                     # 0
V: epoll_create(0)     # EINVAL
V: epoll_create(5) -> ep
V: pipe([r, w])                                       # 0
V: epoll_ctl(ep, EPOLL_CTL_ADD, r, {EPOLLIN, 1})      # 0
V: fork() -> W
V: rt_sigprocmask(SIG_BLOCK, 0x200)                   # 0
kill(V, SIGUSR1)
V: epoll_pwait(ep, 5, -1, 0)      # EINTR
kill(V, SIGUSR1)
V: epoll_pwait(ep, 5, 0, 0)                           # 0
V: epoll_pwait(ep, 5, 0, NULL)                        # 0
V: write(w, "x")                                      # 1
V: epoll_pwait(ep, 5, -1, 0)                          # 1
V: epoll_pwait(ep, 5, -1, sigmask=BAD)                # EFAULT
V: read(r, 2)                                         # 1
W: epoll_pwait(ep, 5, -1, 0x200)    # blocked
kill(W, SIGUSR1)
V: write(w, "x")                                      # 1; W: 1
V: read(r, 2)                                         # 1
W: pselect6(1, [r], NULL, NULL, NULL, 0x200)   # blocked
kill(W, SIGUSR1)
kill(W, SIGUSR2)                                      # W: EINTR
W: pselect6(1, [r], NULL, NULL, {0, 100000000}, 0x200)   # blocked
wait(1000)                                            # W: 0
when watch_queue {
V: pipe2([nr, nw], O_NOTIFICATION_PIPE)               # 0
V: ioctl(nr, IOC_WATCH_QUEUE_SET_FILTER, 0)           # 0
V: ioctl(r, IOC_WATCH_QUEUE_SET_FILTER, 0)  # ENODEV
V: ioctl(nr, IOC_WATCH_QUEUE_SET_FILTER, BAD)  # EFAULT
V: mmap(0x10000000, 65536, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED)
V: ioctl(nr, IOC_WATCH_QUEUE_SET_FILTER, 0x10000000)  # EINVAL
V: store(0x10000000, "\x01\x00\x00\x00")              # 0
V: ioctl(nr, IOC_WATCH_QUEUE_SET_FILTER, 0x10000000)  # 0
V: ioctl(nr, IOC_WATCH_QUEUE_SET_SIZE, 33)            # 0
V: fcntl(nr, F_GETPIPE_SZ)                            # 8192
V: ioctl(nr, FIONREAD)                                # 0
V: open("/proc/self/fd/4", O_RDONLY) -> nr2
V: tee(nr, w, 1, 0)                                   # EINVAL
V: splice(nr, NULL, w, NULL, 1, SPLICE_F_NONBLOCK)    # EINVAL
V: splice(r, NULL, nw, NULL, 1, SPLICE_F_NONBLOCK)    # EAGAIN
V: vmsplice(nw, [{0x10000000, 1}], 0)                 # EBADF
V: write(nw, "")                                      # EXDEV
V: read(nr, 0)                                        # 0
V: poll([{nr, POLLIN}, {nw, POLLOUT}], 0)             # 1
}
