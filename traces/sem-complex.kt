## sem-complex: several operations at once, duplicates, and the array's two ways of locking
A: semget(IPC_PRIVATE, 66, 0600) -> s
A: fork() -> B
A: fork() -> C
A: fork() -> D
## all or nothing
A: semop(s, [{0, 1, 0}, {1, -1, IPC_NOWAIT}])            # EAGAIN
A: semctl(s, 0, GETVAL)                                  # 0
## the same semaphore twice: each operation sees what the one before left
A: semop(s, [{0, 2, 0}, {0, -2, 0}, {0, 0, 0}])          # 0
A: semop(s, [{0, 1, SEM_UNDO}, {0, -2, IPC_NOWAIT|SEM_UNDO}])    # EAGAIN
## 0 and 64 look like the same one to the kernel
B: semop(s, [{0, -1, 0}, {64, 1, 0}])                    # blocked
C: semop(s, [{0, -1, 0}, {65, 1, 0}])                    # blocked
## one that waits alone now waits in the array's queue, behind them
D: semop(s, [{65, -1, 0}])                               # blocked
A: semctl(s, 0, GETNCNT)                                 # 2
A: semctl(s, 65, GETNCNT)                                # 1
## B goes first; C is let in by the next, and lets D in
A: semop(s, [{0, 1, 0}])                                 # 0; B: 0
A: semop(s, [{0, 1, 0}])                                 # 0; C: 0; D: 0
## ten calls later the array is locked semaphore by semaphore again
A: semop(s, [{0, 1, 0}]) * 10                            # 0
## a range error reaches one who sleeps
A: semctl(s, 1, SETVAL, 32767)                           # 0
B: semop(s, [{2, -1, 0}, {1, 1, 0}])                     # blocked
A: semop(s, [{2, 1, 0}])                                 # 0; B: ERANGE
## more than there may be
A: semop(s, [{0, 0, 0}] * 501)                           # E2BIG
A: semop(s, [{66, 1, 0}])                                # EFBIG
A: semop(s, BAD, 1)                                      # EFAULT
## waiting for zero on two at once
A: semctl(s, 2, SETVAL, 1)                               # 0
A: semctl(s, 3, SETVAL, 1)                               # 0
B: semop(s, [{2, 0, 0}, {3, 0, 0}])                      # blocked
A: semctl(s, 2, GETZCNT)                                 # 1
A: semctl(s, 3, GETZCNT)                                 # 0
A: semop(s, [{2, -1, 0}])                                # 0
A: semctl(s, 3, GETZCNT)                                 # 1
A: semop(s, [{3, -1, 0}])                                # 0; B: 0
