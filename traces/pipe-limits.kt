## pipe-limits: what one user may have: pipes that shrink, pipes that are refused, and root
sysctl("fs/pipe-user-pages-soft", "20")
sysctl("fs/pipe-user-pages-hard", "24")
spawn U uid=1000
U: pipe2([a, b], 0)                                   # 0
U: fcntl(a, F_GETPIPE_SZ)                             # 65536
U: pipe2([c, d], 0)                                   # 0
U: pipe2([e, f], 0)                                   # 0
## over the soft limit: two pages
U: pipe2([g, h], 0)                                   # 0
U: fcntl(g, F_GETPIPE_SZ)                             # 8192
U: fcntl(g, F_SETPIPE_SZ, 16384)                      # EPERM
U: pipe2([i, j], 0)                                   # 0
## over the hard limit: none
U: pipe2([k, l], 0)                                   # ENFILE
U: mknod("/tmp/fifo", S_IFIFO|0600)                   # 0
U: open("/tmp/fifo", O_RDWR)                          # ENOMEM
U: close(i)                                           # 0
U: close(j)                                           # 0
U: open("/tmp/fifo", O_RDWR) -> fifo                  # _
## what is taken away counts at once
U: fcntl(a, F_SETPIPE_SZ, 4096)                       # 4096
U: pipe2([k, l], 0)                                   # 0
## root is not asked
spawn R
R: pipe2([r, w], 0)                                   # 0
R: fcntl(w, F_SETPIPE_SZ, 1048576)                    # 1048576
## the account is the real user's, and stays with the pipe
U: exit(0)                                            # exited 0
