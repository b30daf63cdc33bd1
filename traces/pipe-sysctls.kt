## pipe-sysctls: rounding and shrinking under every limit, and the pipe that sendfile() keeps
sysctl("fs/pipe-max-size", "4096")
sysctl("fs/pipe-max-size", "5000")
spawn U uid=1000 gid=1000
U: pipe([r, w])                                       # 0
U: fcntl(r, F_GETPIPE_SZ)                             # 8192
U: fcntl(r, F_SETPIPE_SZ, 8193)   # EPERM
U: fcntl(r, F_SETPIPE_SZ, 8192)                       # 8192
U: fcntl(r, F_SETPIPE_SZ, 1)                          # 4096
U: fcntl(r, F_SETPIPE_SZ, 0)                          # 4096
U: fcntl(r, F_SETPIPE_SZ, -1)                         # EINVAL
U: fcntl(r, F_SETPIPE_SZ, 2147483648)                 # EPERM
U: fcntl(r, F_SETPIPE_SZ, 2147483649)                 # EINVAL
U: fcntl(r, F_SETPIPE_SZ, 4294967296)                 # 4096 if pipe_size_unsigned_int else EINVAL
A: pipe([ar, aw])                                     # 0
A: fcntl(ar, F_GETPIPE_SZ)                            # 65536
A: fcntl(ar, F_SETPIPE_SZ, 1048577)                   # 2097152
A: fcntl(ar, F_SETPIPE_SZ, 4096)                      # 4096
A: write(aw, "x" * 4096)                              # 4096
A: fcntl(ar, F_SETPIPE_SZ, 8192)                      # 8192
A: write(aw, "x" * 4096)                              # 4096
A: fcntl(ar, F_SETPIPE_SZ, 4096)   # EBUSY
A: read(ar, 100)                                      # 100
A: fcntl(ar, F_SETPIPE_SZ, 4096)   # EBUSY
A: read(ar, 3996)                                     # 3996
A: fcntl(ar, F_SETPIPE_SZ, 4096)   # 4096
A: fcntl(ar, F_SETPIPE_SZ, 16777216)                  # 16777216
sysctl("fs/pipe-user-pages-hard", "10")
sysctl("fs/pipe-user-pages-soft", "5")
sysctl("fs/pipe-max-size", "1048576")
U: pipe([r2, w2])                                     # 0
U: fcntl(r2, F_GETPIPE_SZ)                            # 8192
U: pipe([r3, w3])                                     # 0
U: pipe([r4, w4])                                     # 0
U: pipe([r5, w5])                                     # 0
U: pipe([r6, w6])                                     # ENFILE
U: fcntl(r2, F_SETPIPE_SZ, 4096)                      # 4096
U: fcntl(r2, F_SETPIPE_SZ, 8192)                      # EPERM
U: mknod("/tmp/uf", S_IFIFO|0600)                     # 0
U: open("/tmp/uf", O_RDWR)                            # 10
U: memfd_create("m", 0) -> m
U: write(m, "hello")                                  # 5
U: memfd_create("n", 0) -> n
U: sendfile(n, m, 0, 5)                               # ENOMEM
U: close(r)                                           # 0
U: close(w)                                           # 0
U: sendfile(n, m, 0, 5)                               # ENOMEM
U: sendfile(n, m, 0, 5)                               # ENOMEM
U: fork() -> V
V: sendfile(n, m, 0, 5)                               # ENOMEM
V: pipe([v1, v2])                                     # ENFILE
sysctl("fs/pipe-user-pages-hard", "0")
sysctl("fs/pipe-user-pages-soft", "0")
V: sendfile(n, m, 0, 5)                               # 5
V: pipe([v1, v2])                                     # 0
V: exit(0)                                            # exited 0
U: setresuid(-1, -1, -1)                              # 0
A: fork() -> B
B: setresuid(1000, 1000, 0)                           # 0
B: pipe([b1, b2])                                     # 0
B: fcntl(b1, F_SETPIPE_SZ, 2097152)                   # EPERM
B: setresuid(-1, 0, -1)                               # 0
B: pipe([b3, b4])                                     # 0
B: fcntl(b1, F_SETPIPE_SZ, 2097152)                   # 2097152
B: fstat(b1)                                          # 0
sysctl("fs/pipe-max-size", "2147483648")
A: fcntl(ar, F_SETPIPE_SZ, 2147483648)                # ENOMEM
A: fcntl(ar, F_SETPIPE_SZ, 4194304)                   # 4194304
