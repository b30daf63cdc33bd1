## sem-duplicates: the same semaphore twice in one call, with undo and with waiting for zero
A: semget(IPC_PRIVATE, 3, 0600) -> s
## one after the other, each sees what the one before left
A: semop(s, [{0, 0, 0}, {0, 2, SEM_UNDO}, {0, -1, SEM_UNDO}, {1, 1, SEM_UNDO}, {0, -1, 0}, {0, 0, 0}]) # 0
A: semctl(s, 0, GETALL, 3)                               # 0 [0, 1, 0]
## what cannot be finished is taken back, adjustments too
A: semop(s, [{0, 1, SEM_UNDO}, {0, 0, IPC_NOWAIT}])      # EAGAIN
A: semop(s, [{0, 1, SEM_UNDO}, {0, -2, SEM_UNDO}, {1, 1, SEM_UNDO|IPC_NOWAIT}]) # blocked
kill(A, SIGUSR1)                                         # A: SIGUSR1; A: EINTR
A: semop(s, [{0, 32767, SEM_UNDO}, {0, -32767, 0}, {0, 32767, SEM_UNDO}]) # ERANGE
A: semop(s, [{0, 32767, SEM_UNDO}, {0, -32767, SEM_UNDO}, {0, 32767, SEM_UNDO}]) # 0
A: semop(s, [{0, 1, 0}])                                 # ERANGE
A: fork() -> B
A: fork() -> C
B: semop(s, [{0, 0, 0}, {1, 0, 0}])                      # blocked
C: semop(s, [{0, 0, 0}, {1, 1, SEM_UNDO}, {1, 0, 0}])    # blocked
A: semctl(s, 0, GETZCNT)                                 # 2
A: semctl(s, 1, GETZCNT)                                 # 0
## B gets its zeros; C's own increment then stands in its way
A: semop(s, [{1, -1, SEM_UNDO}, {0, -32767, SEM_UNDO}])  # 0; B: 0
A: semctl(s, 1, GETZCNT)                                 # 1
A: semctl(s, 0, GETPID)                                  # _ actor="B"
A: semctl(s, 2, GETPID)                                  # 0
kill(C, SIGKILL)                                         # C: killed SIGKILL
## numbers 64 apart look like duplicates to the kernel, and go the slow way
A: semget(IPC_PRIVATE, 70, 0600) -> t
A: semop(t, [{0, 1, 0}, {64, 1, SEM_UNDO}])              # 0
A: semop(t, [{0, -1, 0}, {64, -2, IPC_NOWAIT}])          # EAGAIN
A: semop(t, [{0, 0, IPC_NOWAIT}, {0, 1, 0}])             # EAGAIN
A: exit(0)                                               # exited 0
