## pipe-proc: a pipe opened again through /proc/self/fd is another file of the same pipe
A: pipe2([r, w], 0)                                   # 0
A: open("/proc/self/fd/0", O_WRONLY|O_NONBLOCK) -> w2 # 2
A: write(w2, "by another way")                        # 14
A: close(w)                                           # 0
A: read(r, 100)                                       # 14 "by another way"
A: read(r, 100)                                       # blocked
kill(A, SIGUSR1)                                      # A: EINTR; A: SIGUSR1
A: open("/proc/self/fd/0", O_RDWR) -> both            # 1
A: close(r)                                           # 0
A: close(w2)                                          # 0
A: write(both, "to myself")                           # 9
A: read(both, 100)                                    # 9 "to myself"
A: open("/proc/self/fd/1", O_PATH) -> p               # 0
A: read(p, 1)                                         # EBADF
A: open("/proc/self/fd/9", O_RDWR)                    # ENOENT
