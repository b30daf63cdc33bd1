## sem-limits: semmsl, semmns, semopm, semmni, and every number out of range
sysctl("kernel/sem", "5 12 4 3")
A: semget(IPC_PRIVATE, 6, 0600)                          # EINVAL
A: semget(IPC_PRIVATE, -1, 0600)                         # EINVAL
A: semget(IPC_PRIVATE, 0, 0600)                          # EINVAL
A: semget(IPC_PRIVATE, 5, 0600) -> a
A: semget(0x77, 5, IPC_CREAT|0600) -> b
A: semget(IPC_PRIVATE, 3, 0600)                          # ENOSPC
A: semget(IPC_PRIVATE, 1, 0600) -> c
A: semget(IPC_PRIVATE, 1, 0600)                          # ENOSPC
A: semctl(c, 0, IPC_RMID)                                # 0
A: semget(IPC_PRIVATE, 2, 0600) -> c
A: semget(0x77, 6, 0)                                    # EINVAL
A: semget(0x77, 5, 0)                                    # 1
A: semget(0x78, 0, IPC_CREAT)                            # EINVAL
## semopm, and the order in which arguments are looked at
A: semop(a, [{0, 1, 0}] * 5)                             # E2BIG
A: semop(a, [{0, 1, 0}] * 4)                             # 0
A: semop(-1, [{0, 1, 0}] * 5)                            # E2BIG
A: semop(-1, [{0, 1, 0}], nsops=0)                       # EINVAL
A: semop(a, BAD, 1)                                      # EFAULT
A: semop(a, NULL, 0)                                     # EINVAL
A: semop(a, [{5, 1, 0}])                                 # EFBIG
A: semop(a, [{0, 1, 0}, {65535, 1, SEM_UNDO}])           # EFBIG
A: semop(a + 100, [{5, 1, SEM_UNDO}])                    # EINVAL
A: semop(a, [{0, -4, 0}], nsops=2)                       # 0
A: semctl(a, 5, GETVAL)                                  # EINVAL
A: semctl(a, -1, GETVAL)                                 # EINVAL
A: semctl(a, 5, SETVAL, 40000)                           # ERANGE
A: semctl(a, 5, SETVAL, 4)                               # EINVAL
A: semctl(a, 0, SETVAL, -1)                              # ERANGE
A: semctl(a, 0, SETVAL, 32767)                           # 0
A: semctl(0x7fffffff, 0, SETVAL, 40000)                  # ERANGE
A: semctl(a, 0, SETALL, [1, 2, 3, 4, 32768])             # ERANGE
## fewer values than semaphores: the rest is 0; more are not looked at
A: semctl(a, 0, SETALL, [1, 2])                          # 0
A: semctl(a, 0, GETALL, 5)                               # 0 [1, 2, 0, 0, 0]
A: semctl(a, 0, SETALL, [1, 2, 3, 4, 5, 60000])          # 0
A: semctl(a, 0, GETALL, 9)                               # 0
A: semctl(a, 0, SETALL, BAD)                             # EFAULT
A: semctl(a, 0, GETALL, NULL)                            # EFAULT
A: semctl(a, 0, IPC_STAT, BAD)                           # EFAULT
A: semctl(a, 0, IPC_SET, NULL)                           # EFAULT
A: semctl(0, 0, SEM_INFO, BAD)                           # EFAULT
A: semctl(-1, 0, IPC_INFO)                               # EINVAL
A: semctl(12345, 99, IPC_INFO)                           # 3
A: semctl(a, 0, 77)                                      # EINVAL
A: semctl(a + 32768, 0, SEM_STAT)                        # 0
A: semctl(7, 0, SEM_STAT_ANY)                            # EINVAL
## a negative semopm is no limit: it is compared without its sign
sysctl("kernel/sem", "250 1000 -1 3")
A: semop(a, [{0, 1, 0}] * 5)                             # 0
sysctl("kernel/sem", "0 0 0 0")
A: semget(0x77, 0, 0)                                    # 1
A: semop(a, [{1, 1, 0}])                                 # E2BIG
## large sets, and calls with more operations than fit on the kernel's stack
sysctl("kernel/sem", "32000 64000 500 4")
A: semget(0x79, 300, IPC_CREAT|0600) -> t
A: semctl(t, 0, SETALL, [3] * 299)                       # 0
A: semctl(t, 299, GETVAL)                                # 0
A: semctl(t, 0, GETALL, 300)                             # 0
A: semop(t, [{1, 1, 0}] * 65)                            # 0
A: semop(t, [{1, -1, 0}] * 68 + [{1, 0, 0}] * 100)       # 0
A: semop(t, [{1, 1, 0}] * 501)                           # E2BIG
A: semctl(t, 1, GETVAL)                                  # 0
