## sem-undo-shared: undo lists of their own and shared ones, in several arrays
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: semget(IPC_PRIVATE, 1, 0600) -> t
## B shares A's list, C starts without one
A: fork(CLONE_SYSVSEM) -> B
A: fork() -> C
A: semop(s, [{0, 3, SEM_UNDO}])                          # 0
B: semop(s, [{0, 4, SEM_UNDO}, {1, 1, SEM_UNDO}])        # 0
B: semop(t, [{0, 5, SEM_UNDO}])                          # 0
C: semop(t, [{0, 1, SEM_UNDO}])                          # 0
## the one used last stands first
A: semop(s, [{1, 1, SEM_UNDO}])                          # 0
## who leaves the list first pays nothing
A: exit(0)                                               # exited 0
C: semctl(s, 0, GETALL, 2)                               # 0 [7, 2]
## unshare is as good as exit: the last one pays for both
B: unshare(CLONE_SYSVSEM)                                # 0
C: semctl(s, 0, GETALL, 2)                               # 0 [0, 0]
C: semctl(t, 0, GETVAL)                                  # 1
## execve does not pay
C: exec()
C: semop(t, [{0, 2, SEM_UNDO}])                          # 0
## B waits for what C will leave behind
B: semop(t, [{0, 0, 0}])                                 # blocked
C: exit(0)                                               # exited 0; B: 0
## SETALL forgives all
B: semop(s, [{0, 9, SEM_UNDO}, {1, 9, SEM_UNDO}])        # 0
B: semctl(s, 0, SETALL, [5, 5])                          # 0
## an array that is gone is owed nothing
B: semop(t, [{0, 9, SEM_UNDO}])                          # 0
B: semctl(t, 0, IPC_RMID)                                # 0
## what never happened leaves an empty undo
B: semop(s, [{7, 1, SEM_UNDO}])                          # EFBIG
B: semop(t, [{0, 1, SEM_UNDO}])                          # EINVAL
B: fork() -> D
B: exit(0)                                               # exited 0
D: semctl(s, 0, GETALL, 2)                               # 0 [5, 5]
