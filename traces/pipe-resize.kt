## pipe-resize: F_SETPIPE_SZ rounds, moves the ring, wakes a writer, and knows limits
A: pipe([r, w])                                       # 0
A: write(w, "x" * 12288)                              # 12288
A: read(r, 8192)                                      # 8192
A: fcntl(w, F_SETPIPE_SZ, 100000)                     # 131072
A: fcntl(r, F_GETPIPE_SZ)                             # 131072
A: fcntl(w, F_SETPIPE_SZ, 0)                          # 4096
A: write(w, "")                                       # 0
A: fork() -> B
B: write(w, "late")                                   # blocked
A: fcntl(w, F_SETPIPE_SZ, 8192)                       # 8192; B: 4
A: fcntl(w, F_SETPIPE_SZ, 4096)                       # EBUSY
A: fcntl(w, F_SETPIPE_SZ, 0x80000001)                 # EINVAL
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: fcntl(f, F_GETPIPE_SZ)                             # EBADF
sysctl("fs/pipe-max-size", "16384")
spawn U uid=1000
U: pipe([ur, uw])                                     # 0
U: fcntl(uw, F_GETPIPE_SZ)                            # 16384
U: fcntl(uw, F_SETPIPE_SZ, 32768)                     # EPERM
A: fcntl(w, F_SETPIPE_SZ, 32768)                      # 32768
