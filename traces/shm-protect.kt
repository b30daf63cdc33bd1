## shm-protect: mprotect() of a part of an attached segment beside one that is protected likewise
A: shmget(IPC_PRIVATE, 16384, 0600) -> s
A: shmat(s, 0x30000000)                                        # 0x30000000
A: shmctl(s, IPC_STAT)                                         # 0 {shm_nattch=1}
A: mprotect(0x30000000, 4096, PROT_NONE)                       # 0
A: shmctl(s, IPC_STAT)                                         # 0 {shm_nattch=2}
A: mprotect(0x30001000, 4096, PROT_NONE)                       # 0
A: shmctl(s, IPC_STAT)                                         # 0 {shm_nattch=2} if vma_longer_with_close else 0 {shm_nattch=3}
A: mprotect(0x30003000, 4096, PROT_READ)                       # 0
A: mprotect(0x30002000, 4096, PROT_READ)                       # 0
A: shmctl(s, IPC_STAT)                                         # 0
A: mprotect(0x30001000, 4096, PROT_READ)                       # 0
A: mprotect(0x30002000, 8192, PROT_NONE)                       # 0
A: mprotect(0x30000000, 16384, PROT_READ|PROT_WRITE)           # 0
A: store(0x30001ff8, "over the border")                        # 0
A: shmctl(s, IPC_STAT)                                         # 0
A: shmdt(0x30000000)                                           # 0
A: shmctl(s, IPC_STAT)                                         # 0 {shm_nattch=0}
