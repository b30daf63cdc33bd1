## msg-copy: MSG_COPY, MSG_EXCEPT, MSG_NOERROR and a buffer that is none
A: msgget(IPC_PRIVATE, 0600) -> q
A: msgsnd(q, {5, "five"})                                # 0
A: msgsnd(q, {2, "two"})                                 # 0
A: msgsnd(q, {5, "f" * 5000})                            # 0
A: msgsnd(q, {9, ""})                                    # 0
## by position, and nothing is taken
A: msgrcv(q, 100, 0, MSG_COPY|IPC_NOWAIT)                # 4 5 "five"
A: msgrcv(q, 100, 1, MSG_COPY|IPC_NOWAIT)                # 3 2 "two"
A: msgrcv(q, 5000, 2, MSG_COPY|IPC_NOWAIT)               # 5000
A: msgrcv(q, 100, 3, MSG_COPY|IPC_NOWAIT)                # 0 9 ""
A: msgrcv(q, 100, 4, MSG_COPY|IPC_NOWAIT)                # ENOMSG
A: msgrcv(q, 3, 0, MSG_COPY|IPC_NOWAIT)                  # E2BIG
A: msgrcv(q, 3, 0, MSG_COPY|MSG_NOERROR|IPC_NOWAIT)      # EINVAL
A: msgrcv(q, 100, 0, MSG_COPY)                           # EINVAL
A: msgrcv(q, 100, 0, MSG_COPY|MSG_EXCEPT|IPC_NOWAIT)     # EINVAL
A: msgrcv(q, BAD, 100, 0, MSG_COPY|IPC_NOWAIT)           # EFAULT
A: msgctl(q, IPC_STAT)                                   # 0 {msg_qnum=4, msg_cbytes=5007, msg_rtime=0}
## any but
A: msgrcv(q, 100, 5, MSG_EXCEPT)                         # 3 2 "two"
A: msgrcv(q, 3, 5, MSG_NOERROR)                          # 3 5 "fiv"
## the lowest type up to 9, then one that is lost to a bad address
A: msgrcv(q, 4999, -9)                                   # E2BIG
A: msgrcv(q, 4999, -9, MSG_NOERROR)                      # 4999
A: msgrcv(q, BAD, 100, 0, 0)                             # EFAULT
A: msgctl(q, IPC_STAT)                                   # 0 {msg_qnum=0}
## receivers of every kind, served in their order
A: fork() -> B
A: fork() -> C
A: fork() -> D
A: fork() -> E
B: msgrcv(q, 100, 5, MSG_EXCEPT)                         # blocked
C: msgrcv(q, 2, 5, MSG_NOERROR)                          # blocked
D: msgrcv(q, 2, -5)                                      # blocked
E: msgrcv(q, 100, 5)                                     # blocked
A: msgsnd(q, {5, "for C"})                               # 0; C: 2 5 "fo"
A: msgsnd(q, {5, "not D"})                               # 0; D: E2BIG; E: 5 5 "not D"
A: msgsnd(q, {5, "left"})                                # 0
A: msgsnd(q, {6, "for B"})                               # 0; B: 5 6 "for B"
A: msgrcv(q, -1, 0)                                      # EINVAL
A: msgsnd(q, BAD, 5, 0)                                  # EFAULT
