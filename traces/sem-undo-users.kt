## sem-undo-users: undo between users: clipped at both ends, waking others, forbidden and forgiven
spawn U uid=1000 gid=1000
spawn V uid=1001 gid=1001
U: semget(0x9, 2, IPC_CREAT|0666) -> s
V: semop(s, [{0, 10, SEM_UNDO}, {1, 10, SEM_UNDO}])      # 0
U: semop(s, [{0, -5, SEM_UNDO}])                         # 0
V: fork() -> W
W: semop(s, [{0, -3, SEM_UNDO}])                         # 0
## V waits for what W and U took and will give back
V: semop(s, [{0, 0, 0}])                                 # blocked
W: exit(3)                                               # exited 3
kill(U, SIGKILL)                                         # U: killed SIGKILL
kill(V, SIGKILL)                                         # V: killed SIGKILL
spawn X uid=1000 gid=1000
## what V gave and others took cannot be taken back below 0; beyond SEMVMX nothing is given
X: semctl(s, 0, GETALL, 2)                               # 0 [0, 0]
X: semctl(s, 0, SETVAL, 32767)                           # 0
X: semop(s, [{0, -1, SEM_UNDO}])                         # 0
spawn Y uid=1001
Y: semop(s, [{0, 1, 0}])                                 # 0
X: semctl(s, 1, SETVAL, 32767)                           # 0
Y: semop(s, [{1, -32767, SEM_UNDO}])                     # 0
Y: semop(s, [{1, 1, 0}])                                 # 0
Y: semop(s, [{1, -1, SEM_UNDO}])                         # ERANGE
spawn Z uid=1002
Z: semop(s, [{1, 0, 0}])                                 # blocked
X: exit(0)                                               # exited 0
kill(Y, SIGKILL)                                         # Y: killed SIGKILL
## a list that three share: only the last one pays, whoever it is
spawn T
T: semctl(s, 0, SETALL, [0, 0])                          # 0; Z: 0
spawn D
D: fork(CLONE_SYSVSEM) -> E
E: fork(CLONE_SYSVSEM) -> F
F: semop(s, [{0, 5, SEM_UNDO}])                          # 0
D: semop(s, [{1, 3, SEM_UNDO}])                          # 0
E: exit(0)                                               # exited 0
D: unshare(CLONE_SYSVSEM)                                # 0
D: semop(s, [{1, 1, SEM_UNDO}])                          # 0
D: exec()
D: setresuid(7, 7, 7)                                    # 0
T: semop(s, [{0, 0, 0}, {1, -1, SEM_UNDO}])              # blocked
## D, meanwhile somebody else, pays all the same
kill(F, SIGKILL)                                         # T: 0; F: killed SIGKILL
D: exit(0)                                               # exited 0
