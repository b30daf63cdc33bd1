## file-bad-write: what a write from a bad address leaves of the page that it was to go to
A: open("/tmp/f", O_CREAT|O_RDWR, 0600) -> f
A: write(f, BAD, 2048)                                         # EFAULT
A: ftruncate(f, 20000)                                         # 0
A: pipe([r, w])                                                # 0
A: sendfile(w, f, 0, 4096)                                     # 4096
A: mmap(0x20000000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x20000000
A: store(0x20000ff8, "the last")                               # 0
A: lseek(f, 8184, SEEK_SET)                                    # 8184
A: write(f, 0x20000ff8, 100)                                   # 8
A: sendfile(w, f, 8192, 4096)                                  # 4096
A: fcntl(w, F_SETPIPE_SZ, 65536)                               # 65536
A: memfd_create("m", MFD_ALLOW_SEALING) -> m
A: fcntl(m, F_ADD_SEALS, F_SEAL_WRITE)                         # 0
A: write(m, BAD, 10)                                           # EPERM if write_faults_late else EFAULT
