## sem-undo: what SEM_UNDO remembers, and how exit, SIGKILL and SETVAL end it
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: semctl(s, 0, SETALL, [1, 5])             # 0
A: fork() -> B
A: fork() -> C
A: fork() -> D
B: semop(s, [{0, -1, SEM_UNDO}])            # 0
B: semop(s, [{1, 2, SEM_UNDO}, {1, 1, SEM_UNDO}])    # 0
A: semctl(s, 0, GETALL, 2)                  # 0 [0, 8]
A: semop(s, [{0, -1, 0}])                   # blocked
## B leaves: +1 and -3, and A gets what it waits for
B: exit(0)                                  # exited 0; A: 0
A: semctl(s, 0, GETALL, 2)                  # 0 [0, 5]
## C does not leave by itself
C: semop(s, [{1, -5, SEM_UNDO}])            # 0
A: semop(s, [{1, -2, 0}])                   # blocked
kill(C, SIGKILL)                            # C: killed SIGKILL; A: 0
A: semctl(s, 0, GETALL, 2)                  # 0 [0, 3]
## a value never goes below 0: what D gave and A took cannot be taken back
D: semop(s, [{1, 4, SEM_UNDO}])             # 0
A: semop(s, [{1, -6, 0}])                   # 0
D: exit(0)                                  # exited 0
A: semctl(s, 1, GETVAL)                     # 0
## children do not inherit it, and SETVAL forgets it
A: semop(s, [{0, 3, SEM_UNDO}])             # 0
A: fork() -> E
E: semop(s, [{0, 4, SEM_UNDO}])             # 0
E: fork() -> F
F: exit(0)                                  # exited 0
A: semctl(s, 0, GETVAL)                     # 7
A: semctl(s, 0, SETVAL, 6)                  # 0
E: exit(0)                                  # exited 0
A: semctl(s, 0, GETVAL)                     # 6
## an adjustment has its limits, too
A: semop(s, [{1, 32767, SEM_UNDO}])         # 0
A: semop(s, [{1, -32767, 0}])               # 0
A: semop(s, [{1, 2, SEM_UNDO}])             # ERANGE
## the set goes first: there is nothing left to undo
A: semctl(s, 0, IPC_RMID)                   # 0
A: exit(0)                                  # exited 0
