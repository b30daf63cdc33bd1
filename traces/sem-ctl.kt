## sem-ctl: everything that semctl tells and sets, and the limits of semaphores
A: semget(0x77, 3, IPC_CREAT|0640) -> s
A: semctl(s, 0, SETALL, [1, 2, 3])                       # 0
A: semctl(s, 0, GETALL, 3)                               # 0 [1, 2, 3]
A: semctl(s, 0, SETALL, [1, 2, 40000])                   # ERANGE
A: semctl(s, 1, SETVAL, 32767)                           # 0
A: semctl(s, 1, SETVAL, 32768)                           # ERANGE
A: semctl(s, 1, SETVAL, -1)                              # ERANGE
A: semctl(s, 3, SETVAL, 1)                               # EINVAL
A: semctl(s, -1, GETVAL)                                 # EINVAL
A: semctl(s, 1, GETVAL)                                  # 32767
A: semctl(s, 1, GETPID) -> pid                           # _
A: semctl(s, 0, IPC_STAT)                                # 0 {sem_perm={key=0x77, mode=0640}, sem_otime=0, sem_nsems=3}
A: semctl(s, 0, IPC_STAT, BAD)                           # EFAULT
A: semctl(s, 0, GETALL, BAD)                             # EFAULT
A: semctl(s, 0, SETALL, BAD)                             # EFAULT
A: semctl(s, 0, IPC_SET, BAD)                            # EFAULT
A: semctl(s, 0, IPC_SET, {uid=7, gid=8, mode=0604})      # 0
A: semctl(s, 0, IPC_STAT)                                # 0 {sem_perm={uid=7, gid=8, cuid=0, cgid=0, mode=0604}}
## by index, whatever its sequence number; the id comes back
A: semctl(s & 0x7fff, 0, SEM_STAT)                       # s
A: semctl(s & 0x7fff, 0, SEM_STAT_ANY)                   # s
A: semctl(5, 0, SEM_STAT)                                # EINVAL
A: semctl(0, 0, IPC_INFO)                                # 0 {semmni=32000, semmsl=32000, semopm=500, semvmx=32767, semusz=20, semaem=32767}
A: semctl(0, 0, SEM_INFO)                                # 0 {semusz=1, semaem=3}
A: semctl(s, 0, 99)                                      # EINVAL
A: semctl(-1, 0, IPC_STAT)                               # EINVAL
A: semctl(s + 1, 0, IPC_RMID)                            # EINVAL
## limits, while in use
sysctl("kernel/sem", "3 5 2 2")
A: semget(IPC_PRIVATE, 4, 0600)                          # EINVAL
A: semget(IPC_PRIVATE, 3, 0600)                          # ENOSPC
A: semget(IPC_PRIVATE, 2, 0600) -> t
A: semget(IPC_PRIVATE, 1, 0600)                          # ENOSPC
A: semop(s, [{0, 1, 0}] * 3)                             # E2BIG
sysctl("kernel/sem", "3 6 2 2")
## more semaphores there might be now, but not more arrays
A: semget(IPC_PRIVATE, 1, 0600)                          # ENOSPC
A: semctl(t, 0, IPC_RMID)                                # 0
A: semget(IPC_PRIVATE, 0, 0600)                          # EINVAL
A: semget(IPC_PRIVATE, -1, 0600)                         # EINVAL
A: semget(IPC_PRIVATE, 3, 0600)
