## sem-order: who waits for a semaphore, and in which order they are woken
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: fork() -> B
A: fork() -> C
A: fork() -> D
B: semop(s, [{0, -2, 0}])                   # blocked
C: semop(s, [{0, -1, 0}])                   # blocked
A: semctl(s, 0, GETNCNT)                    # 2
## not enough for B, who came first, but for C
A: semop(s, [{0, 1, 0}])                    # 0; C: 0
C: semop(s, [{0, -1, 0}])                   # blocked
## enough for both: first come, first served
A: semop(s, [{0, 3, 0}])                    # 0; B: 0; C: 0
A: semctl(s, 0, GETVAL)                     # 0
## waiting for zero
A: semctl(s, 0, SETVAL, 2)                  # 0
B: semop(s, [{0, 0, 0}])                    # blocked
C: semop(s, [{0, 0, 0}])                    # blocked
A: semctl(s, 0, GETZCNT)                    # 2
A: semop(s, [{0, -1, 0}])                   # 0
A: semop(s, [{0, -1, 0}])                   # 0; B: 0; C: 0
## a complex operation moves everybody to the array's own queue
B: semop(s, [{1, -1, 0}])                   # blocked
C: semop(s, [{0, -1, 0}, {1, -1, 0}])       # blocked
D: semop(s, [{1, -1, 0}])                   # blocked
A: semop(s, [{1, 1, 0}])                    # 0; B: 0
A: semop(s, [{1, 1, 0}])                    # 0; D: 0
A: semctl(s, 0, GETNCNT)                    # 1
A: semop(s, [{0, 1, 0}, {1, 1, 0}])         # 0; C: 0
## one who is woken sets another one free: C needs what B gives
B: semop(s, [{0, -1, 0}, {1, 2, 0}])        # blocked
C: semop(s, [{1, -2, 0}])                   # blocked
A: semop(s, [{0, 1, 0}])                    # 0; B: 0; C: 0
A: semctl(s, 0, GETALL, 2)                  # 0 [0, 0]
A: semctl(s, 0, IPC_RMID)                   # 0
