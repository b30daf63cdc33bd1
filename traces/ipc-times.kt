## ipc-times: the clock is set forward between calls, so that one sees which of an object's times each of them sets
A: semget(IPC_PRIVATE, 2, IPC_CREAT|0600) -> s
A: msgget(IPC_PRIVATE, IPC_CREAT|0600) -> q
A: shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) -> m
A: clock_settime(CLOCK_REALTIME, {1900000000, 0})   # 0
A: semop(s, [{1, 1, SEM_UNDO}])                          # 0
A: msgsnd(q, {1, "text"}, IPC_NOWAIT)                    # 0
A: shmat(m, NULL, 0) -> at
A: clock_settime(CLOCK_REALTIME, {1900001000, 0})   # 0
A: semctl(s, 0, SETVAL, 1)                               # 0
A: msgrcv(q, 100, 0, IPC_NOWAIT)                    # 4
A: shmdt(at)                                             # 0
## a failure sets none
A: clock_settime(CLOCK_REALTIME, {1900002000, 0})   # 0
A: semop(s, [{0, -2, IPC_NOWAIT}])                  # EAGAIN
A: msgrcv(q, 100, 0, IPC_NOWAIT)                    # ENOMSG
A: semop(s, [{1, 0, 0}])                            # blocked
spawn B
## who waits for zero and gets it sets sem_otime, in whose name it is woken
B: clock_settime(CLOCK_REALTIME, {1900003000, 0})   # 0
B: semctl(s, 1, SETVAL, 0)                          # 0; A: 0
B: msgrcv(q, 100, 0, 0)                             # blocked
A: clock_settime(CLOCK_REALTIME, {1900004000, 0})   # 0
A: msgsnd(q, {1, "handed over"}, 0)                 # 0; B: 11
A: clock_settime(CLOCK_REALTIME, {1900005000, 0})   # 0
A: semctl(s, 0, IPC_SET, {sem_perm={uid=0, gid=0, mode=0600}}) # 0
A: msgctl(q, IPC_SET, {msg_perm={uid=0, gid=0, mode=0600}, msg_qbytes=100}) # 0
A: shmctl(m, IPC_SET, {shm_perm={uid=0, gid=0, mode=0600}}) # 0
## undo at exit is an operation, too
spawn C
C: semop(s, [{1, 1, SEM_UNDO}])                          # 0
C: shmat(m, NULL, 0)                                     # _
A: clock_settime(CLOCK_REALTIME, {1900006000, 0})   # 0
C: exit(0)                                               # exited 0
A: semctl(s, 0, IPC_STAT)                                # 0
A: msgctl(q, IPC_STAT)                                   # 0
A: shmctl(m, IPC_STAT)                                   # 0
spawn D uid=1000 gid=1000
D: clock_settime(CLOCK_REALTIME, {1900007000, 0})   # EPERM
A: clock_settime(CLOCK_MONOTONIC, {1900007000, 0})  # EINVAL
A: clock_settime(CLOCK_REALTIME, {1, 1000000000})   # EINVAL
A: clock_settime(CLOCK_REALTIME, BAD)               # EFAULT
## a sleep goes by another clock
A: semtimedop(s, [{0, -5, 0}], {100, 0})            # blocked
B: clock_settime(CLOCK_REALTIME, {1900009000, 0})   # 0
B: semctl(s, 0, SETVAL, 5)                          # 0; A: 0
