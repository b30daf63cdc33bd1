## ipc-keys: keys found and not found, permissions, and ids that come back with another seq
A: semget(0x1234, 3, 0600)                  # ENOENT
A: semget(0x1234, 3, IPC_CREAT|0600) -> s   # 0
A: semget(0x1234, 3, IPC_CREAT|0600)        # s
A: semget(0x1234, 0, 0)                     # s
A: semget(0x1234, 4, 0600)                  # EINVAL
A: semget(0x1234, 3, IPC_CREAT|IPC_EXCL|0600)        # EEXIST
## each kind of object has keys of its own
A: msgget(0x1234, IPC_EXCL)                 # ENOENT
A: msgget(0x1234, IPC_CREAT|0644) -> q      # 0
A: shmget(0x1234, 4096, IPC_CREAT|0600) -> m         # 0
A: shmget(0x1234, 4097, 0600)               # EINVAL
A: shmget(0x1234, 4096, IPC_CREAT|IPC_EXCL)          # EEXIST
## somebody else may look a key up, but no more than the mode says
spawn U uid=1000 gid=1000
U: semget(0x1234, 0, 0)                     # s
U: semget(0x1234, 0, 0400)                  # EACCES
U: semctl(s, 0, GETVAL)                     # EACCES
U: semctl(s, 0, IPC_RMID)                   # EPERM
U: msgget(0x1234, 0444)                     # q
U: msgsnd(q, {1, "x"})                      # EACCES
U: shmat(m)                                 # EACCES
A: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0600, msg_qbytes=16384})   # 0
U: msgsnd(q, {1, "x"})                      # 0
U: msgctl(q, IPC_RMID)                      # 0
A: shmctl(m, IPC_RMID)                      # 0
## an id is an index and a seq: the index goes up to 63 first
A: semctl(s, 0, IPC_RMID)                   # 0
A: semget(0x1234, 1, IPC_CREAT|0600) -> t   # 1
A: semctl(t, 0, IPC_RMID)                   # 0
repeat 62 as i {
    A: semget(IPC_PRIVATE, 1, 0600) -> t    # i + 2
    A: semctl(t, 0, IPC_RMID)               # 0
}
## then it begins again, with the next seq: 1 << 15 | 0
A: semget(IPC_PRIVATE, 1, 0600) -> t        # 32768
A: semctl(s, 0, GETVAL)                     # EINVAL
A: semctl(t, 0, GETVAL)                     # 0
A: semctl(t, 0, IPC_RMID)                   # 0
