## ipc-addresses: structs and arrays at addresses of the caller's, in a segment, across its end
A: semget(0x77, 3, IPC_CREAT|0640) -> s
A: msgget(0x77, IPC_CREAT|0640) -> q
A: shmget(0x77, 8192, IPC_CREAT|0640) -> m
A: shmat(m, 0x20000000)                                  # 0x20000000
A: mmap(0x30000000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) # 0x30000000
## arrays of values
A: semctl(s, 0, SETALL, [7, 8])                          # 0
A: semctl(s, 0, GETALL, 0x30000000)                      # 0
A: load(0x30000000, 6)                                   # 0 "\x07\0\x08\0\0\0"
A: semctl(s, 0, SETALL, 0x30000002)                      # 0
A: semctl(s, 0, GETALL, 3)                               # 0 [8, 0, 0]
A: semctl(s, 0, GETALL, 0x30001ffc)                      # EFAULT
A: load(0x30001ffc, 4)                                   # 0 "\x08\0\0\0"
A: semctl(s, 0, SETALL, 0x30001ffc)                      # EFAULT
## structs into a segment, which shows in its pages
A: semctl(s, 0, IPC_STAT, 0x20001000)                    # 0
A: semctl(s, 0, IPC_STAT, 0x30001f98)                    # 0
A: semctl(s, 0, IPC_STAT, 0x30001f99)                    # EFAULT
## what IPC_SET reads
A: store(0x30000004, "\xe8\x03\0\0\xe9\x03\0\0")         # 0
A: store(0x30000014, "\x40\0\0\0")                       # 0
A: semctl(s, 0, IPC_SET, 0x30000000)                     # 0
A: semctl(s, 0, IPC_STAT)                                # 0
A: store(0x30000058, "\0\x40\0\0\0\0\0\0")               # 0
A: msgctl(q, IPC_SET, 0x30000000)                        # 0
A: shmctl(m, IPC_SET, 0x30000000)                        # 0
## and what the others write
A: msgctl(q, IPC_STAT, 0x30000000)                       # 0
A: load(0x30000000, 28)                                  # 0
A: msgctl(q, IPC_SET, 0x30001f90)                        # EFAULT
A: shmctl(0, IPC_INFO, 0x30000000)                       # 0
A: load(0x30000000, 48)                                  # 0
A: shmctl(0, SHM_INFO, 0x30000000)                       # 0
A: load(0x30000000, 48)                                  # 0
A: msgctl(0, MSG_INFO, 0x30000000)                       # 0
A: load(0x30000000, 32)                                  # 0
A: semctl(0, 0, SEM_INFO, 0x30000000)                    # 0
A: load(0x30000000, 40)                                  # 0
## operations and timeouts
A: store(0x30000000, "\x01\0\x02\0\0\0\x02\0\x01\0\0\0") # 0
A: semop(s, 0x30000000, 2)                               # 0
A: semctl(s, 0, GETALL, 3)                               # 0 [8, 2, 1]
A: store(0x30001ff0, "\0\0\0\0\0\0\0\0\x80\x96\x98\0\0\0\0\0") # 0
A: semtimedop(s, [{0, 1, 0}], 1, 0x30001ff0)             # 0
A: semtimedop(s, [{0, 1, 0}], 1, 0x30001ff8)             # EFAULT
## texts; what is received into a segment is its content
A: msgsnd(q, {1, "ab"}, msgsz=5)                         # 0
A: msgrcv(q, 10)                                         # 5 1 "ab\0\0\0"
A: msgsnd(q, {3, "into the segment" * 500})              # 0
A: msgrcv(q, 0x200007fc, 8000, 0, 0)                     # EFAULT
A: msgsnd(q, {3, "into the segment" * 50})               # 0
A: msgrcv(q, 0x20000ff0, 8000, 0, 0)                     # 800
A: msgsnd(q, 0x20000ff0, 800, 0)                         # 0
A: shmdt(0x20000000)                                     # 0
A: semctl(s, 0, SETVAL, 0x30000000)                      # ERANGE
