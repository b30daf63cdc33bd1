## pipe-exec: what exec closes, what fork shares, what EMFILE takes back
A: pipe2([r, w], O_CLOEXEC)                           # 0
A: fcntl(r, F_SETFD, 0)                               # 0
A: fork() -> B
B: exec()                                             # 0
## only the end without the mark is left
B: fcntl(w, F_GETFD)                                  # EBADF
B: fcntl(r, F_GETFD)                                  # 0
A: fork(CLONE_FILES) -> C
C: close(w)                                           # 0
A: write(w, "x")                                      # EBADF
B: read(r, 10)                                        # 0 ""
## exec unshares the table first
C: fcntl(r, F_SETFD, FD_CLOEXEC)                      # 0
C: exec()                                             # 0
C: read(r, 1)                                         # EBADF
A: fcntl(r, F_GETFD)                                  # FD_CLOEXEC
A: setrlimit(RLIMIT_NOFILE, {2, 4096})                # 0
A: pipe2([x, y], 0)                                   # EMFILE
A: dup(r) -> d                                        # 1
A: close_range(0, 9, CLOSE_RANGE_CLOEXEC)             # 0
A: exec()                                             # 0
A: close(d)                                           # EBADF
## one whose uid and euid differ gets no descriptor from the program's start
A: fork() -> D
D: setresuid(-1, 1000, -1)                            # 0
D: exec()                                             # 0
D: pipe([dr, dw])                                     # 0
