## rlimit-fsize: a file may not grow beyond RLIMIT_FSIZE, however it is written
A: getrlimit(RLIMIT_FSIZE)                         # 0
A: setrlimit(RLIMIT_FSIZE, {10, 10})               # 0
A: open("/tmp/fsize", O_CREAT|O_RDWR, 0644) -> c
A: write(c, "0123456789abc")                       # 10
A: write(c, "x")                                   # SIGXFSZ code=0 sender=A; EFBIG
A: write(c, "")                                    # 0
A: pwrite64(c, "abc", 8)                           # 2
A: pwrite64(c, "abc", 10)                          # SIGXFSZ; EFBIG
A: pwrite64(c, "abc", 1000)                        # SIGXFSZ; EFBIG
A: writev(c, ["a", "b"])                           # SIGXFSZ; EFBIG
A: pwritev(c, ["abc", "def", "ghijk"], 2)          # 8
A: ftruncate(c, 11)                                # SIGXFSZ; EFBIG
A: truncate("/tmp/fsize", 11)                      # SIGXFSZ; EFBIG
A: ftruncate(c, 3)                                 # 0
A: ftruncate(c, 10)                                # 0
A: open("/tmp/fsize", O_WRONLY|O_APPEND) -> d
A: write(d, "y")                                   # SIGXFSZ; EFBIG
## through a pipe; a pipe itself has no limit, nor has a socket
A: pipe([r, w])                                    # 0
A: write(w, "0123456789abcdef")                    # 16
A: ftruncate(c, 0)                                 # 0
A: splice(r, NULL, c, 8, 16, 0)                  # 2
A: splice(r, NULL, c, 10, 16, 0)                 # SIGXFSZ; EFBIG
A: lseek(c, 7, SEEK_SET)                           # 7
A: splice(r, NULL, c, NULL, 16, 0)                 # 3
A: memfd_create("in", MFD_ALLOW_SEALING) -> m
A: write(m, "ABCDEFGHIJKL")                        # 10
A: lseek(c, 4, SEEK_SET)                           # 4
A: sendfile(c, m, 0, 100)                        # 6
A: sendfile(c, m, 0, 100)                        # SIGXFSZ; EFBIG
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])     # 0
A: write(s, "longer than ten bytes")               # 21
## without a handler the signal kills, ignored it leaves the error alone
A: fork() -> B
B: sigaction(SIGXFSZ, SIG_IGN)                     # 0
B: pwrite64(c, "z", 10)                            # EFBIG
B: setrlimit(RLIMIT_FSIZE, {0, 10})                # 0
B: pwrite64(c, "z", 0)                             # EFBIG
B: ftruncate(c, 0)                                 # 0
B: ftruncate(c, 1)                                 # EFBIG
A: sigaction(SIGXFSZ, SIG_DFL)                     # 0
A: unlink("/tmp/fsize")                            # 0
A: pwrite64(c, "z", 10)                            # killed SIGXFSZ
## what the file system itself allows
B: prlimit64(0, RLIMIT_FSIZE, {RLIM_INFINITY, RLIM_INFINITY})    # 0
B: ftruncate(c, 0x7fffffffffffffff)                # 0
B: pwrite64(c, "z", 0x7fffffffffffffff)            # EINVAL
B: pwrite64(c, "zz", 0x7ffffffffffffffe)           # EINVAL
B: pwrite64(c, "z", 0x7ffffffffffffffe)            # 1
