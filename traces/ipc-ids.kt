## ipc-ids: the largest sequence number wanted, indices that wrap, and ids and keys of every wrong kind
sysctl("kernel/sem_next_id", "2147450880")
A: semget(IPC_PRIVATE, 1, 0600) -> s
A: semget(IPC_PRIVATE, 1, 0600) -> t
A: semctl(t, 0, IPC_RMID)                                # 0
## a wanted id moves neither the index nor the sequence number that follow
repeat 70 as i {
A: semget(IPC_PRIVATE, 1, 0600) -> t
A: semctl(t, 0, IPC_RMID)                                # 0
}
## ids of one kind given to another
A: msgget(1, IPC_CREAT|0600) -> q
A: shmget(1, 1, IPC_CREAT|0600) -> m
A: semctl(q, 0, GETVAL)                                  # EINVAL
A: semctl(s, 0, GETVAL)                                  # 0
A: msgctl(s, IPC_STAT)                                   # EINVAL
A: shmctl(s, IPC_STAT)                                   # EINVAL
A: shmat(s)                                              # EINVAL
A: msgsnd(s, {1, ""})                                    # EINVAL
A: msgrcv(s, 1)                                          # EINVAL
## negative ones, too large ones, ones with more than 32 bits
A: semop(2147483647, [{0, 1, 0}])                        # EINVAL
A: semop(-2147483648, [{0, 1, 0}])                       # EINVAL
A: semop(4294967296 + s, [{0, 1, 0}])                    # 0
A: msgctl(2147483647, IPC_STAT)                          # EINVAL
A: shmctl(-2147483648, IPC_RMID)                         # EINVAL
A: shmat(-2147483648)                                    # EINVAL
## keys are 32 bits
A: msgget(0x80000000, IPC_CREAT)                         # 1
A: msgget(-2147483648, 0)                                # 1
A: msgget(0x7fffffff, IPC_CREAT|0777|IPC_NOWAIT)         # 2
A: msgget(4294967297, 0)                                 # 0
## the same id wanted twice
sysctl("kernel/msg_next_id", "2147483647")
A: msgget(IPC_PRIVATE, 0) -> k
sysctl("kernel/msg_next_id", "2147483647")
A: msgget(IPC_PRIVATE, 0)                                # ENOSPC
A: msgctl(k, IPC_RMID)                                   # 0
A: msgctl(0, MSG_INFO)                                   # 2
sysctl("kernel/shm_next_id", "1000000")
A: shmget(IPC_PRIVATE, 0, 0)                             # EINVAL
A: shmget(IPC_PRIVATE, 1, 0)                             # 1000000
A: shmget(IPC_PRIVATE, 1, 0)                             # 1
