## sem-timeout: semtimedop gives up after its time, unless it is served or interrupted before
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: fork() -> B
A: fork() -> C
B: semtimedop(s, [{0, -1, 0}], {0, 300000000})           # blocked
## nothing happens but that time passes
wait(5000)                                               # B: EAGAIN
## the one whose time is shorter gives up first, and the other one is not disturbed
B: semtimedop(s, [{0, -1, SEM_UNDO}], {1, 0})            # blocked
C: semtimedop(s, [{0, 0, 0}, {1, -1, 0}], {3600, 0})     # blocked
A: semctl(s, 0, GETNCNT)                                 # 1
A: semctl(s, 1, GETNCNT)                                 # 1
wait(5000)                                               # B: EAGAIN
## who is served in time does not notice
A: semop(s, [{1, 1, 0}])                                 # 0; C: 0
C: semtimedop(s, [{0, -1, 0}], {3600, 0})                # blocked
kill(C, SIGUSR1)                                         # C: EINTR
C: semtimedop(s, [{0, -1, 0}], {3600, 0})                # blocked
A: semctl(s, 0, IPC_RMID)                                # 0; C: EIDRM
## what is no time
A: semtimedop(s, [{0, 1, 0}], {0, 1000000000})           # EINVAL
A: semtimedop(s, [{0, 1, 0}], {-1, 0})                   # EINVAL
