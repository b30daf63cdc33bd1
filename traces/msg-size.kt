## msg-size: too long for the receiver: E2BIG and MSG_NOERROR; longer than a page
A: msgget(IPC_PRIVATE, 0600) -> q
A: msgsnd(q, {1, "0123456789"})             # 0
A: msgrcv(q, 4, 0)                          # E2BIG
## it is still there; now its end is thrown away
A: msgrcv(q, 4, 0, MSG_NOERROR)             # 4 1 "0123"
A: msgrcv(q, 4, 0, IPC_NOWAIT)              # ENOMSG
## one page holds 4048 bytes behind struct msg_msg, the next ones 4088 each
A: msgsnd(q, {2, "p" * 4048})               # 0
A: msgsnd(q, {2, "q" * 4049})               # 0
A: msgsnd(q, {2, "0123456789abcdef" * 512}) # 0
A: msgctl(q, IPC_STAT)                      # 0 {msg_cbytes=16289, msg_qnum=3}
A: msgrcv(q, 8192, 0)                       # 4048 2 "pppp"...
A: msgrcv(q, 8192, 0)                       # 4049 2 "qqqq"...
A: msgrcv(q, 8192, 0)                       # 8192 2 "0123456789abcdef0123"...
A: msgsnd(q, {1, "m" * 8193})               # EINVAL
A: msgsnd(q, BAD, 10, 0)                    # EFAULT
A: msgsnd(q, {1, "gone"})                   # 0
## the message is unlinked before it is copied: EFAULT loses it
A: msgrcv(q, BAD, 100, 0, 0)                # EFAULT
A: msgrcv(q, 100, 0, IPC_NOWAIT)            # ENOMSG
A: msgctl(q, IPC_RMID)                      # 0
