## file-mapping-seals: seals, protection, holes and moves of a memfd that is mapped
A: memfd_create("m", MFD_ALLOW_SEALING) -> m       # 0
A: ftruncate(m, 12288)                             # 0
A: mmap(0x20000000, 12288, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, m, 0) # 0x20000000
A: mprotect(0x20001000, 4096, PROT_READ)           # 0
A: store(0x20001000, "x")                          # EFAULT
A: fcntl(m, F_ADD_SEALS, F_SEAL_FUTURE_WRITE)      # 0
A: store(0x20000000, "ok")                         # 0
A: write(m, "no")                                  # EPERM
A: mmap(0x30000000, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, m, 0)    # EPERM
A: mmap(0x30000000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, m, 4096) # 0x30000000
A: load(0x30000000, 1)                             # 0
A: mmap(0x40000000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, m, 0) # 0x40000000
A: store(0x40000000, "mine")                       # 0
A: mprotect(0x20001000, 4096, PROT_READ|PROT_WRITE) # 0
A: munmap(0x20001000, 4096)                        # 0
A: madvise(0x20000000, 4096, MADV_REMOVE)          # EPERM
A: madvise(0x20002000, 4096, MADV_DONTNEED)        # 0
A: msync(0x20000000, 4096, MS_SYNC)                # 0
A: lseek(m, 0, SEEK_DATA)                          # 0
A: lseek(m, 0, SEEK_HOLE)                          # 8192
A: fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW) # 0
A: ftruncate(m, 100)                               # EPERM
A: mremap(0x20000000, 4096, 8192, MREMAP_MAYMOVE)  # 0x20000000
A: sendfile(m, m, 0, 10)                           # EPERM
A: exit(0)                                         # exited 0
