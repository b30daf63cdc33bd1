## pipe-epipe: writing without a reader: EPIPE, and SIGPIPE caught, ignored and deadly
A: pipe([r, w])                             # 0
A: write(w, "unread")                       # 6
A: close(r)                                 # 0
A: write(w, "x")                            # SIGPIPE; EPIPE
## nothing to write, nothing to complain about
A: write(w, "")                             # 0
A: sigaction(SIGPIPE, SIG_IGN)              # 0
A: write(w, "x")                            # EPIPE
## a writer that sleeps finds out, too
A: pipe([r2, w2])                           # 0
A: write(w2, "f" * 65536)                   # 65536
A: fork() -> B
B: sigaction(SIGPIPE, RECORD)               # 0
B: close(r2)                                # 0
B: write(w2, "more")                        # blocked
A: close(r2)                                # 0; B: SIGPIPE; B: EPIPE
B: sigaction(SIGPIPE, SIG_DFL)              # 0
B: write(w2, "x")                           # killed SIGPIPE
## and the wrong end of a pipe
A: pipe([r3, w3])                           # 0
A: read(w3, 1)                              # EBADF
A: write(r3, "x")                           # EBADF
A: lseek(r3, 0, SEEK_SET)                   # ESPIPE
A: pread64(r3, 1, 0)                        # ESPIPE
A: pipe2(BAD, 0)                            # EFAULT
A: pipe2(0x1000000)                         # EINVAL
