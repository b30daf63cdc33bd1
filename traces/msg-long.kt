## msg-long: messages of several pages, from and into memory of one's own, and addresses that end in their midst
sysctl("kernel/msgmax", "100000")
sysctl("kernel/msgmnb", "1000000")
A: msgget(IPC_PRIVATE, 0600) -> q
## three pages of memory; messages end at its end, begin in it, cross it
A: mmap(0x30000000, 3 * 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x30000000
A: store(0x30000000, "\x07\0\0\0\0\0\0\0hello")          # 0
A: msgsnd(q, 0x30000000, 5, 0)                           # 0
A: msgsnd(q, 0x30000000, 5000, 0)                        # 0
A: msgsnd(q, 0x30000000, 12280, 0)                       # 0
A: msgsnd(q, 0x30000000, 12281, 0)                       # EFAULT
A: msgsnd(q, 0x30002ffc, 5, 0)                           # EFAULT
A: msgsnd(q, 0x30002ff8, 0, 0)                           # EINVAL
## a hole in their midst
A: munmap(0x30001000, 4096)                              # 0
A: msgsnd(q, 0x30000000, 4088, 0)                        # 0
A: msgsnd(q, 0x30000000, 4089, 0)                        # EFAULT
## received up to the hole: the message is lost all the same
A: msgrcv(q, 0x30000000, 12280, 0, IPC_NOWAIT)           # 5
A: msgrcv(q, 0x30000000, 12280, 0, IPC_NOWAIT)           # EFAULT
A: load(0x30000000, 20)                                  # 0
A: load(0x30000ff0, 16)                                  # 0
## not even the type fits; only the type fits
A: msgrcv(q, 0x30002ffc, 12280, 0, IPC_NOWAIT)           # EFAULT
A: msgrcv(q, 0x30002ff8, 12280, 0, IPC_NOWAIT)           # EFAULT
A: msgsnd(q, {4, "xyz"})                                 # 0
A: msgrcv(q, 0x30002ff0, 2, 0, MSG_NOERROR)              # 2
A: load(0x30002ff0, 16)                                  # 0
## 23 segments
A: msgsnd(q, {9, "z" * 90000})                           # 0
A: msgsnd(q, {9, "z" * 100001})                          # EINVAL
A: msgrcv(q, 90000, 0, MSG_COPY|IPC_NOWAIT)              # 90000
A: msgrcv(q, 50000, 0, MSG_NOERROR)                      # 50000
A: msgctl(0, MSG_INFO)                                   # 0
## read-only memory: MSG_COPY loads the buffer first, then cannot store
A: mprotect(0x30000000, 4096, PROT_READ)                 # 0
A: msgsnd(q, {3, "abc"})                                 # 0
A: msgrcv(q, 0x30000000, 10, 0, IPC_NOWAIT)              # EFAULT
A: msgsnd(q, {3, "abc"})                                 # 0
A: msgrcv(q, 0x30000000, 10, 0, MSG_COPY|IPC_NOWAIT)     # EFAULT
A: msgrcv(q, 0x30000000, 0, 0, MSG_COPY|IPC_NOWAIT)      # E2BIG
A: msgctl(q, IPC_STAT)                                   # 0
