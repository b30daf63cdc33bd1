## shm-sizes: sizes from 0 to beyond all memory, SHM_HUGETLB, shmall, shmmax, shmmni, and flags
## this kernel has no huge pages: EINVAL, unless the key finds a segment
A: shmget(IPC_PRIVATE, 4096, SHM_HUGETLB|0600)           # ENOMEM if hugetlbfs else EINVAL
A: shmget(IPC_PRIVATE, 4096, SHM_HUGETLB|SHM_HUGE_2MB|0600) # ENOMEM if hugetlbfs else EINVAL
A: shmget(IPC_PRIVATE, 0, SHM_HUGETLB|0600)              # EINVAL
A: shmget(0x3, 4096, SHM_HUGETLB|IPC_CREAT|0600)         # ENOMEM if hugetlbfs else EINVAL
A: shmget(0x3, 4096, IPC_CREAT|0600) -> m
A: shmget(0x3, 4096, SHM_HUGETLB|0600)                   # m
## sizes that overflow, that shmall forbids, that no file can have
A: shmget(IPC_PRIVATE, -1, 0600)                         # EINVAL
A: shmget(IPC_PRIVATE, -4096, 0600)                      # EINVAL
A: shmget(IPC_PRIVATE, -(1 << 24) - 1, 0600)             # EINVAL
A: shmget(IPC_PRIVATE, 1 << 63, 0600|SHM_NORESERVE)      # EINVAL
A: shmget(IPC_PRIVATE, (1 << 63) - 1, 0600|SHM_NORESERVE) -> h
## larger than an address space
A: shmat(h)                                              # ENOMEM
A: shmat(h, 0x10000)                                     # EINVAL
A: shmget(IPC_PRIVATE, 1 << 46, 0600|SHM_NORESERVE) -> g
A: shmat(g)                                              # _
A: shmctl(0, SHM_INFO)                                   # 2
A: shmctl(h, IPC_RMID)                                   # 0
## the three limits, one after the other
sysctl("kernel/shmall", "0")
A: shmget(IPC_PRIVATE, 1, 0600)                          # ENOSPC
sysctl("kernel/shmall", "18446744073709551615")
A: shmget(IPC_PRIVATE, 1, 0600)                          # 3
sysctl("kernel/shmmni", "0")
A: shmget(IPC_PRIVATE, 1, 0600)                          # ENOSPC
A: shmget(0x3, 0, 0)                                     # 0
sysctl("kernel/shmmax", "0")
A: shmget(IPC_PRIVATE, 1, 0600)                          # EINVAL
## in any base
sysctl("kernel/shmmni", "0x10")
sysctl("kernel/shmmax", "0x1000")
sysctl("kernel/shmmni", "010")
A: shmctl(0, IPC_INFO)                                   # 3
## flags of shmat; unknown ones are ignored
A: shmget(IPC_PRIVATE, 4096, 0777|SHM_NORESERVE) -> q
A: shmat(q, 0x20000000, SHM_EXEC)                        # 0x20000000
A: shmat(q, 0x20000000, SHM_EXEC|SHM_RDONLY|SHM_REMAP)   # 0x20000000
A: shmat(q, 0, 0777)                                     # _
A: shmget(7, 4096, IPC_CREAT|IPC_EXCL|0) -> z
## mode 0: looked up, but not used; *_STAT_ANY tells anybody
spawn U uid=9
U: shmget(7, 4096, 0)                                    # 5
U: shmget(7, 4096, 0400)                                 # EACCES
U: shmget(7, 4097, 0400)                                 # EINVAL
U: shmget(7, 4097, IPC_CREAT|IPC_EXCL)                   # EEXIST
U: shmctl(z, IPC_STAT)                                   # EACCES
U: shmctl(z & 32767, SHM_STAT)                           # EACCES
U: shmctl(z & 32767, SHM_STAT_ANY)                       # 5
U: shmat(z)                                              # EACCES
U: shmctl(z, IPC_SET, {mode=0777})                       # EPERM
U: shmctl(z, IPC_RMID)                                   # EPERM
