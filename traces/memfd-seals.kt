## memfd-seals: what each seal forbids, and when F_SEAL_WRITE is refused
A: memfd_create("s", MFD_ALLOW_SEALING) -> m
A: write(m, "0123456789")                          # 10
A: fcntl(m, F_GET_SEALS)                           # 0
A: fcntl(m, F_ADD_SEALS, F_SEAL_GROW)              # 0
A: pwrite64(m, "ab", 8)                            # 2
A: pwrite64(m, "ab", 9)                            # EPERM
A: write(m, "c")                                   # EPERM
A: ftruncate(m, 11)                                # EPERM
A: ftruncate(m, 5)                                 # 0
A: ftruncate(m, 6)                                 # EPERM
A: fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK)            # 0
A: ftruncate(m, 4)                                 # EPERM
A: ftruncate(m, 5)                                 # 0
## a pipe holds a page: the file waits a little, and is not sealed against writing
A: pipe([r, w])                                    # 0
A: splice(m, 0, w, NULL, 5, 0)                   # 5
A: fork() -> B
B: fcntl(m, F_ADD_SEALS, F_SEAL_WRITE)             # blocked
wait(2000)                                         # B: EBUSY
B: fcntl(m, F_ADD_SEALS, F_SEAL_FUTURE_WRITE)      # 0
A: pwrite64(m, "w", 0)                             # EPERM
A: read(r, 10)                                     # 5 "01234"
B: fcntl(m, F_ADD_SEALS, F_SEAL_WRITE)             # 0
A: write(w, "data")                                # 4
A: splice(r, NULL, m, 0, 4, 0)                   # EPERM
A: fcntl(m, F_ADD_SEALS, 0x1000)                   # EINVAL
A: fcntl(m, F_ADD_SEALS, F_SEAL_SEAL)              # 0
A: fcntl(m, F_ADD_SEALS, 0x1000)                   # EINVAL
A: fcntl(m, F_ADD_SEALS, 0)                        # EPERM
A: fcntl(m, F_GET_SEALS)                           # 31
A: fcntl(r, F_GET_SEALS)                           # EINVAL
A: memfd_create("n") -> n
A: fcntl(n, F_ADD_SEALS, F_SEAL_WRITE)             # EPERM
A: fcntl(n, F_GET_SEALS)                           # 1
