## sem-basic: a semaphore set's values, operations and their errors
A: semget(IPC_PRIVATE, 3, IPC_CREAT|0600) -> s
A: semctl(s, 0, GETALL, 3)                  # 0 [0, 0, 0]
A: semctl(s, 0, SETALL, [1, 2, 3])          # 0
A: semop(s, [{1, 5, 0}])                    # 0
A: semctl(s, 1, GETVAL)                     # 7
A: semctl(s, 2, SETVAL, 9)                  # 0
A: semctl(s, 0, GETALL, 3)                  # 0 [1, 7, 9]
## all or nothing: the second operation cannot be done, so the first is undone
A: semop(s, [{0, -1, 0}, {1, -8, IPC_NOWAIT}])       # EAGAIN
A: semctl(s, 0, GETVAL)                     # 1
## several operations on one semaphore are done in their order
A: semop(s, [{0, 2, 0}, {0, -3, 0}, {0, 0, 0}])      # 0
A: semctl(s, 0, GETVAL)                     # 0
A: semop(s, [{0, 0, IPC_NOWAIT}])           # 0
A: semop(s, [{2, 0, IPC_NOWAIT}])           # EAGAIN
## who did it last, and nobody waits
A: getpid() -> pid
A: semctl(s, 0, GETPID)                     # pid
A: semctl(s, 0, GETNCNT)                    # 0
A: semctl(s, 0, GETZCNT)                    # 0
A: semctl(s, 0, IPC_STAT)                   # 0 {sem_perm={key=0, uid=0, mode=0600}, sem_nsems=3}
## errors, one by one
A: semop(s, [{3, 1, 0}])                    # EFBIG
A: semop(s, [])                             # EINVAL
A: semop(s, [{0, 1, 0}] * 501)              # E2BIG
A: semop(s, [{0, 32767, 0}, {0, 1, 0}])     # ERANGE
A: semop(s, BAD, 1)                         # EFAULT
A: semop(-1, [{0, 1, 0}])                   # EINVAL
A: semctl(s, 0, SETVAL, 32768)              # ERANGE
A: semctl(s, 0, SETALL, [1, 2, 40000])      # ERANGE
A: semctl(s, 3, GETVAL)                     # EINVAL
A: semctl(s, 0, 99)                         # EINVAL
A: semctl(s, 0, GETALL, BAD)                # EFAULT
A: semget(IPC_PRIVATE, 0, 0600)             # EINVAL
A: semget(IPC_PRIVATE, 32001, 0600)         # EINVAL
A: semctl(s, 0, IPC_RMID)                   # 0
A: semop(s, [{0, 1, 0}])                    # EINVAL
