## sem-eidrm: a semaphore set goes away under those who wait, and a signal interrupts
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: semctl(s, 1, SETVAL, 1)                  # 0
A: fork() -> B
A: fork() -> C
A: fork() -> D
B: semop(s, [{0, -1, SEM_UNDO}])            # blocked
C: semop(s, [{1, 0, 0}])                    # blocked
D: semop(s, [{0, -1, 0}, {1, -1, 0}])       # blocked
## a handler ran: semop is never restarted
A: kill(B, SIGUSR1)                         # 0; B: SIGUSR1; B: EINTR
B: semop(s, [{0, -1, SEM_UNDO}])            # blocked
A: semctl(s, 0, IPC_RMID)                   # 0; B: EIDRM; C: EIDRM; D: EIDRM
A: semop(s, [{0, 1, 0}])                    # EINVAL
A: semctl(s, 0, IPC_RMID)                   # EINVAL
B: exit(0)                                  # exited 0
