## shm-mremap: attachments that grow, shrink, move and multiply, and what shmdt still finds of them
A: shmget(IPC_PRIVATE, 4 * 4096, 0600) -> m
A: shmat(m, 0x20000000) -> p
A: store(p, "first")                                     # 0
A: store(p + 0x3000, "last")                             # 0
## shrink, then grow in place
A: mremap(p, 0x4000, 0x2000)                             # p
A: load(p + 0x3000, 4)                                   # EFAULT
A: mremap(p, 0x2000, 0x6000)                             # p
A: load(p + 0x3000, 4)                                   # 0 "last"
## mapped, but beyond the end of the segment
A: load(p + 0x4000, 1)                                   # EFAULT
## an old size of nothing: one more mapping of the same
A: mremap(p, 0, 0x1000)                                  # ENOMEM
A: mremap(p, 0, 0x1000, MREMAP_MAYMOVE) -> q
A: load(q, 5)                                            # 0 "first"
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=2}
## moved in part: the second and third page go elsewhere
A: mremap(p + 0x1000, 0x2000, 0x2000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x30000000)     # 0x30000000
A: shmctl(m, IPC_STAT)                                   # 0 {shm_nattch=4}
A: mremap(p, 0x2000, 0x3000, MREMAP_MAYMOVE)             # EFAULT
A: mremap(0x40000000, 0x1000, 0x1000)                    # EFAULT
A: mremap(p, 0x1000, 0x1000, MREMAP_FIXED, 0x30000000)   # EINVAL
A: mremap(p, 0x1000, 0x2000, MREMAP_MAYMOVE|MREMAP_FIXED, p)                       # EINVAL
A: mremap(p, 0x1000, 0)                                  # EINVAL
A: mremap(p + 1, 0x1000, 0x1000)                         # EINVAL
A: mremap(p, 0x1000, 0x1000, MREMAP_MAYMOVE|MREMAP_DONTUNMAP) -> r
A: load(r, 5)                                            # 0 "first"
## shmdt looks for what still lies where it was attached; what reaches beyond the segment's size takes a second call
A: shmdt(p)                                              # 0
A: load(p + 0x3000, 4)                                   # 0 "last"
A: shmdt(p)                                              # 0
A: shmdt(p)                                              # EINVAL
A: load(0x30000000, 1)                                   # 0
## and finds the moved pages if it is told where their first page would be
A: shmdt(0x2ffff000)                                     # 0
A: shmdt(q)                                              # 0
A: shmctl(m, IPC_RMID)                                   # 0
A: shmdt(r)                                              # 0
A: shmctl(m, IPC_STAT)                                   # EINVAL
## the kernel's own mappings cannot be cut
A: shmget(IPC_PRIVATE, 8192, 0600) -> n
A: shmat(n, 0x7ffff7ff8000, SHM_REMAP)                   # EINVAL if vms_gather_munmap_vmas else ENOMEM
A: munmap(0x7ffff7ffa000, 4096)                          # EINVAL
A: shmctl(n, IPC_STAT)                                   # 0 {shm_nattch=0}
## pages that follow each other, put side by side
A: shmget(IPC_PRIVATE, 0x3000, 0600) -> k
A: shmat(k, 0x30000000) -> z
A: mremap(z, 0, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x40000000) # 0x40000000
A: mremap(z + 0x1000, 0, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x40001000) # 0x40001000
A: shmctl(k, IPC_STAT)                                   # 0 {shm_nattch=2} if vma_longer_with_close else 0 {shm_nattch=3}
## in front of what follows
A: mremap(z + 0x1000, 0, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x50001000) # 0x50001000
A: mremap(z, 0, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x50000000) # 0x50000000
A: shmctl(k, IPC_STAT)                                   # 0 {shm_nattch=3} if vma_longer_with_close else 0 {shm_nattch=5}
## between two, of which only one becomes longer
A: mremap(z, 0, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x60000000) # 0x60000000
A: mremap(z + 0x2000, 0, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x60002000) # 0x60002000
A: mremap(z + 0x1000, 0, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x60001000) # 0x60001000
A: shmctl(k, IPC_STAT)                                   # 0 {shm_nattch=5} if vma_longer_with_close else 0 {shm_nattch=8}
## one that is moved, and one that is not where its pages would follow
A: mremap(z + 0x2000, 0x1000, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x40002000) # 0x40002000
A: mremap(z, 0x1000, 0x1000, MREMAP_MAYMOVE|MREMAP_FIXED, 0x40003000) # 0x40003000
A: shmctl(k, IPC_STAT)                                   # 0 {shm_nattch=6} if vma_longer_with_close else 0 {shm_nattch=10}
A: shmdt(0x40000000)                                     # 0
A: exit(0)                                               # exited 0
