## sem-signals: what a signal does to a sleeping semop, msgrcv and msgsnd, with SA_RESTART and without
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: fork() -> B
B: sigaction(SIGUSR1, RECORD_RESTART)                    # 0
B: sigaction(SIGUSR2, SIG_IGN)                           # 0
B: semop(s, [{0, -1, SEM_UNDO}])                         # blocked
A: kill(B, SIGUSR2)                                      # 0
## semop is never restarted
A: kill(B, SIGUSR1)                                      # 0; B: SIGUSR1; B: EINTR
B: rt_sigprocmask(SIG_BLOCK, 0x200)                      # 0
B: semop(s, [{0, -1, SEM_UNDO}])                         # blocked
A: kill(B, SIGUSR1)                                      # 0
A: semop(s, [{0, 1, 0}])                                 # 0; B: 0
B: rt_sigprocmask(SIG_UNBLOCK, 0x200)                    # 0; SIGUSR1
## a complex operation leaves, and the array may lock by semaphore again
B: semop(s, [{0, 0, 0}, {1, -1, 0}])                     # blocked
A: semctl(s, 1, GETNCNT)                                 # 1
A: kill(B, SIGCHLD)                                      # 0
A: kill(B, SIGALRM)                                      # 0; B: SIGALRM; B: EINTR
A: msgget(IPC_PRIVATE, 0600) -> q
B: msgrcv(q, 10)                                         # blocked
A: kill(B, SIGUSR1)                                      # 0; B: SIGUSR1; B: EINTR
A: msgctl(q, IPC_SET, {mode=0600, msg_qbytes=5})         # 0
A: msgsnd(q, {1, "1234"})                                # 0
B: msgsnd(q, {1, "12345"})                               # blocked
A: kill(B, SIGUSR1)                                      # 0; B: SIGUSR1; B: EINTR
## the signal that kills takes the sleeper's reference to the queue along
B: sigaction(SIGTERM, SIG_DFL)                           # 0
B: msgsnd(q, {1, "123456"})                              # blocked
A: kill(B, SIGTERM)                                      # 0; B: killed SIGTERM
A: msgctl(q, IPC_STAT)                                   # 0
