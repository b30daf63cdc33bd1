## pipe-sendfile: a file into a pipe, and into another file by way of a pipe that the process keeps
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: write(f, "0123456789" * 1000)                      # 10000
A: pipe2([r, w], O_NONBLOCK)                          # 0
A: sendfile(w, f, 9990, 100)                          # 10 10000
A: sendfile(w, f, NULL, 100)                          # 0
A: lseek(f, 0, SEEK_SET)                              # 0
A: sendfile(w, f, NULL, 100000)                       # 10000
A: read(r, 20)                                        # 20 "01234567890123456789"
A: open("/tmp/copy", O_RDWR|O_CREAT, 0600) -> c
## pipe_bufs grows by a pipe that has no descriptor, until A ends
A: sendfile(c, f, 0, 5000)                            # 5000 5000
A: sendfile(c, f, 5000, 5000)                         # 5000 10000
A: pread64(c, 10, 9990)                               # 10 "0123456789"
A: sendfile(w, r, NULL, 10)                           # EINVAL
A: sendfile(r, f, NULL, 10)                           # EBADF
A: sendfile(w, f, -1, 10)                             # EINVAL
A: close(r)                                           # 0
A: sendfile(w, f, 0, 10)                              # EPIPE; SIGPIPE
A: exit(0)                                            # exited 0
