## file-mapping: files of /tmp, memfds and /dev/zero mapped, shared or private; seals, forks, truncation
A: memfd_create("m", MFD_ALLOW_SEALING) -> m       # 0
A: ftruncate(m, 8192)                              # 0
A: mmap(0x20000000, 8192, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, m, 0)    # 0x20000000
A: store(0x20000000, "hello, file")                # 0
A: pread64(m, 20, 0)                               # 20 "hello, file\x00\x00\x00\x00\x00\x00\x00\x00\x00"
A: pwrite64(m, "HELLO", 5, 0)                      # 5
A: load(0x20000000, 11)                            # 0 "HELLO, file"
A: fcntl(m, F_ADD_SEALS, F_SEAL_WRITE)             # EBUSY
A: mmap(0x30000000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, m, 0) # 0x30000000
A: store(0x30000000, "mine!")                      # 0
A: load(0x20000000, 11)                            # 0 "HELLO, file"
A: load(0x30000000, 11)                            # 0 "mine!, file"
A: fork() -> B
B: store(0x20000000, "child")                      # 0
A: load(0x20000000, 11)                            # 0 "child, file"
B: store(0x30000000, "child")                      # 0
A: load(0x30000000, 11)                            # 0 "mine!, file"
A: munmap(0x20000000, 4096)                        # 0
A: load(0x20000000, 1)                             # EFAULT
A: load(0x20001000, 1)                             # 0 "\x00"
A: ftruncate(m, 4096)                              # 0
## beyond the end of the file there is SIGBUS, which the actor notices as EFAULT
A: load(0x20001000, 1)                             # EFAULT
B: load(0x20001000, 1)                             # EFAULT
A: munmap(0x20001000, 4096)                        # 0
B: munmap(0x20000000, 8192)                        # 0
A: fcntl(m, F_ADD_SEALS, F_SEAL_WRITE)             # 0
A: mmap(0x20000000, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, m, 0)    # EPERM
A: mmap(0x20000000, 4096, PROT_READ, MAP_SHARED|MAP_FIXED, m, 0)    # 0x20000000
A: mprotect(0x20000000, 4096, PROT_READ|PROT_WRITE)    # EACCES
A: load(0x20000000, 5)                             # 0 "child"
A: close(m)                                        # 0
A: load(0x20000000, 5)                             # 0 "child"
B: exit(0)                                         # exited 0
A: exec()                                          # 0
A: open("/tmp/f", O_RDWR|O_CREAT, 0600) -> f       # 0
A: write(f, "on disk")                             # 7
A: mmap(0x20000000, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, f, 0) # 0x20000000
A: mmap(0x20001000, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, f, 4096) # 0x20001000
A: load(0x20001000, 1)                             # EFAULT
A: pwrite64(f, "x", 1, 5000)                       # 1
A: load(0x20001000, 1)                             # 0 "\x00"
A: mremap(0x20000000, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x40000000) # 0x40000000
A: load(0x40000000, 7)                             # 0 "on disk"
A: pipe([r, w])                                    # 0
A: vmsplice(w, [{0x40000000, 7}])                  # 7
A: store(0x40000000, "ON")                         # 0
A: read(r, 10)                                     # 7 "ON disk"
A: read(f, 7)                                      # 7
A: write(w, 0x40000000, 4)                         # 4
A: read(r, 0x40000004, 4)                          # 4
A: pread64(f, 8, 0)                                # 8 "ON dON d"
A: open("/tmp/f", O_RDONLY) -> g                   # 3
A: mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, g, 0)    # EACCES
A: mmap(0x50000000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, g, 0) # 0x50000000
A: store(0x50000000, "priv")                       # 0
A: ftruncate(f, 0)                                 # 0
A: load(0x50000000, 1)                             # EFAULT
A: ftruncate(f, 10)                                # 0
A: load(0x50000000, 4)                             # 0 "\x00\x00\x00\x00"
A: unlink("/tmp/f")                                # 0
A: close(f)                                        # 0
A: close(g)                                        # 0
A: munmap(0x40000000, 8192)                        # 0
A: munmap(0x50000000, 4096)                        # 0
A: open("/dev/zero", O_RDWR) -> z                  # 0
A: mmap(0x20000000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, z, 0) # 0x20000000
A: store(0x20000000, "zero")                       # 0
A: mmap(0x30000000, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, z, 0) # 0x30000000
A: store(0x30000000, "zero")                       # 0
A: fork() -> C
C: load(0x30000000, 4)                             # 0 "zero"
C: load(0x20000000, 4)                             # 0 "zero"
A: store(0x30000000, "both")                       # 0
C: load(0x30000000, 4)                             # 0 "both"
C: munmap(0x20000000, 4096)                        # 0
A: close(z)                                        # 0
