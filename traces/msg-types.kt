## msg-types: messages by type: any, exactly one, at most, all but one
A: msgget(IPC_PRIVATE, IPC_CREAT|0600) -> q
A: msgsnd(q, {3, "three"})                  # 0
A: msgsnd(q, {1, "one"})                    # 0
A: msgsnd(q, {2, "two"})                    # 0
A: msgsnd(q, {1, "one again"})              # 0
A: msgsnd(q, {5, ""})                       # 0
A: msgctl(q, IPC_STAT)                      # 0 {msg_cbytes=20, msg_qnum=5, msg_qbytes=16384}
## a copy of the second one; the queue stays as it is
A: msgrcv(q, 100, 1, MSG_COPY|IPC_NOWAIT)   # 3 1 "one"
A: msgrcv(q, 100, 2)                        # 3 2 "two"
## the lowest type of at most 3, the first of it
A: msgrcv(q, 100, -3)                       # 3 1 "one"
A: msgrcv(q, 100, 3, MSG_EXCEPT)            # 9 1 "one again"
A: msgrcv(q, 100, -3)                       # 5 3 "three"
A: msgrcv(q, 100, -4, IPC_NOWAIT)           # ENOMSG
A: msgrcv(q, 100, 0)                        # 0 5 ""
A: msgrcv(q, 100, 0, IPC_NOWAIT)            # ENOMSG
A: msgsnd(q, {0, "no type"})                # EINVAL
A: msgsnd(q, {-1, "no type"})               # EINVAL
A: msgrcv(q, 100, 0, MSG_COPY)              # EINVAL
A: msgrcv(q, -1, 0)                         # EINVAL
A: msgctl(q, IPC_RMID)                      # 0
A: msgsnd(q, {1, "late"})                   # EINVAL
