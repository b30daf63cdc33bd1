## shm-neighbours: segments beside and over each other and other memory, moved, grown and cut
A: shmget(IPC_PRIVATE, 3 * 4096, 0600) -> m
A: shmget(IPC_PRIVATE, 3 * 4096, 0600) -> n
A: shmat(m, 0x20000000)                                  # 0x20000000
A: shmat(n, 0x20003000)                                  # 0x20003000
## the end of one and the beginning of the other go in one call
A: munmap(0x20002000, 0x2000)                            # 0
## over what is left of both
A: shmat(m, 0x20001000, SHM_REMAP)                       # 0x20001000
A: shmctl(m, IPC_STAT)                                   # 0
A: shmctl(n, IPC_STAT)                                   # 0
A: shmdt(0x20003000)                                     # 0
A: shmdt(0x20000000)                                     # 0
A: shmdt(0x20001000)                                     # 0
A: shmat(m, 0x20000000)                                  # 0x20000000
## moved as a whole, then a page of it once more
A: mremap(0x20000000, 0x3000, 0x3000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x40000000) # 0x40000000
A: mremap(0x40001000, 0x1000, 0x2000, MREMAP_MAYMOVE) -> w
A: shmdt(0x40000000)                                     # 0
A: shmctl(m, IPC_STAT)                                   # 0
## into the middle of private memory
A: mmap(0x50000000, 0x4000, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x50000000
A: shmat(n, 0x50001000)                                  # EINVAL
A: shmat(n, 0x50001000, SHM_REMAP)                       # 0x50001000
A: store(0x50000ffc, "abcdefgh")                         # 0
A: load(0x50003ffe, 2)                                   # 0
A: load(0x50003ffe, 4)                                   # EFAULT
## and private memory into the middle of the segment
A: mmap(0x50002000, 0x1000, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x50002000
A: shmdt(0x50001000)                                     # 0
A: load(0x50001000, 1)                                   # EFAULT
A: load(0x50002000, 1)                                   # 0
A: fork() -> B
A: shmat(n, 0x60000000)                                  # 0x60000000
## C shares A's address space: what it detaches, A has no more
A: fork(CLONE_VM|CLONE_FILES) -> C
C: store(0x60000000, "from C")                           # 0
A: load(0x60000000, 6)                                   # 0
A: shmctl(n, IPC_RMID)                                   # 0
C: shmdt(0x60000000)                                     # 0
A: load(0x60000000, 6)                                   # EFAULT
## rights in pieces
B: shmat(m, 0x60000000, SHM_RDONLY|SHM_EXEC)             # 0x60000000
B: mprotect(0x60000000, 0x1000, PROT_READ|PROT_WRITE|PROT_EXEC) # EACCES
B: mprotect(0x60001000, 0x1000, PROT_EXEC)               # 0
B: munmap(0x60000000, 0x4000)                            # 0
B: munmap(0x60000000, 0)                                 # EINVAL
B: munmap(0x60000001, 0x1000)                            # EINVAL
B: shmdt(0x60000000)                                     # EINVAL
A: exit(0)                                               # exited 0
C: exit(0)                                               # exited 0
B: shmctl(m, IPC_STAT)                                   # 0
## private memory is moved with its pages
B: mremap(0x50000000, 0x1000, 0x2000)                    # 0x50000000
B: mremap(0x50000000, 0x1000, 0x3000, MREMAP_MAYMOVE) -> z
B: load(z, 1)                                            # 0
B: mremap(z, 0x3000, 0x1000)                             # z
B: mremap(z, 0x1000, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x58000000) # 0x58000000
B: mremap(0x58000000, 0, 0x1000, MREMAP_MAYMOVE)         # EINVAL
B: mremap(0x58000000, 0x1000, 0x1000, MREMAP_MAYMOVE|MREMAP_DONTUNMAP) # z + 0x2000
## two neighbours are one mapping to the kernel
B: mmap(0x70000000, 0x2000, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x70000000
B: mmap(0x70002000, 0x2000, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x70002000
B: store(0x70001ffc, "12345678")                         # 0
B: mremap(0x70001000, 0x2000, 0x2000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x71000000) # 0x71000000
B: load(0x71000ffc, 8)                                   # 0
B: load(0x70001000, 1)                                   # EFAULT
B: load(0x70003000, 1)                                   # 0
B: mremap(0x71000000, 0x1000, 0x1000, MREMAP_MAYMOVE|MREMAP_DONTUNMAP) -> y
B: load(y + 0xffc, 4)                                    # 0
B: load(0x71000ffc, 4)                                   # 0
## shared anonymous memory is a file of its own size
B: mmap(0x72000000, 0x2000, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS|MAP_FIXED) # 0x72000000
B: store(0x72000000, "shared")                           # 0
B: fork() -> D
D: store(0x72000006, "by D")                             # 0
B: mremap(0x72000000, 0x2000, 0x3000)                    # 0x72000000
B: load(0x72000000, 12)                                  # 0
B: load(0x72002000, 1)                                   # EFAULT
B: mremap(0x72000000, 0, 0x1000, MREMAP_MAYMOVE) -> x
B: load(x, 12)                                           # 0
## copied when it is written
D: store(0x71000ffc, "D's")                              # 0
D: load(y + 0xffc, 4)                                    # 0
B: load(0x71000ffc, 4)                                   # 0
B: mremap(0x10000000000, 0x1000, 0x1000)                 # 0x10000000000
