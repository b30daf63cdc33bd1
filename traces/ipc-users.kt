## ipc-users: owner, creator, group, others, and those who may do everything
spawn O uid=1000 gid=1000
spawn G uid=1001 gid=1000
spawn S uid=1001 gid=1001 groups=[5, 1000]
spawn X uid=1002 gid=1002
O: semget(0x41, 1, IPC_CREAT|0642) -> s
O: semop(s, [{0, 1, 0}])                                 # 0
## the group may read, others may write: reading is waiting for zero, writing anything else
G: semctl(s, 0, GETVAL)                                  # 1
G: semop(s, [{0, 1, 0}])                                 # EACCES
G: semop(s, [{0, 0, IPC_NOWAIT}])                        # EAGAIN
S: semctl(s, 0, GETVAL)                                  # 1
X: semctl(s, 0, GETVAL)                                  # EACCES
X: semop(s, [{0, 1, 0}])                                 # 0
X: semget(0x41, 1, 0400)                                 # EACCES
X: semget(0x41, 1, 0200)                                 # s
X: semget(0x41, 1, 0)                                    # s
X: semctl(s, 0, IPC_RMID)                                # EPERM
## CAP_IPC_OWNER
A: semctl(s, 0, GETVAL)                                  # 2
## the owner changes, the creator keeps its rights
O: semctl(s, 0, IPC_SET, {uid=1002, gid=1002, mode=0600})    # 0
X: semctl(s, 0, GETVAL)                                  # 2
O: semctl(s, 0, GETVAL)                                  # 2
G: semctl(s, 0, GETVAL)                                  # EACCES
X: semctl(s, 0, IPC_SET, {uid=1002, gid=-1, mode=0600})  # EINVAL
X: semctl(s, 0, IPC_SET, {uid=1001, gid=1002, mode=0600})    # 0
X: semctl(s, 0, GETVAL)                                  # EACCES
## a process may become somebody else
A: fork() -> B
B: setresuid(-1, 1002, -1)                               # 0
B: semctl(s, 0, GETVAL)                                  # EACCES
B: semctl(s, 0, IPC_RMID)                                # EPERM
B: setresuid(-1, 0, -1)                                  # 0
B: semctl(s, 0, GETVAL)                                  # 2
B: setresuid(1000, 1000, 1000)                           # 0
B: semctl(s, 0, IPC_RMID)                                # 0
