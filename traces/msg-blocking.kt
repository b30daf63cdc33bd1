## msg-blocking: receivers and senders that wait, handed over directly, woken by room, by removal
A: msgget(IPC_PRIVATE, 0600) -> q
A: fork() -> B
A: fork() -> C
B: msgrcv(q, 100, 7)                        # blocked
C: msgrcv(q, 100, 0)                        # blocked
## B does not want this one, C takes anything; the queue never sees it
A: msgsnd(q, {1, "for C"})                  # 0; C: 5 1 "for C"
A: msgsnd(q, {7, "for B"})                  # 0; B: 5 7 "for B"
A: msgctl(q, IPC_STAT)                      # 0 {msg_cbytes=0, msg_qnum=0}
## too small a buffer: the receiver fails, the message stays
B: msgrcv(q, 3, 0)                          # blocked
A: msgsnd(q, {1, "too long"})               # 0; B: E2BIG
A: msgrcv(q, 100, 0)                        # 8 1 "too long"
## a full queue
A: msgctl(q, IPC_SET, {mode=0600, msg_qbytes=20})    # 0
A: msgsnd(q, {1, "0123456789abcdef"})       # 0
A: msgsnd(q, {1, "12345"}, IPC_NOWAIT)      # EAGAIN
A: msgsnd(q, {2, "1234"})                   # 0
B: msgsnd(q, {3, "from B"})                 # blocked
C: msgsnd(q, {4, "from C"})                 # blocked
## 4 bytes of room are not enough for anybody
A: msgrcv(q, 100, 2)                        # 4 2 "1234"
A: msgrcv(q, 100, 1)                        # 16 1 "0123456789abcdef"; B: 0; C: 0
A: msgrcv(q, 100, 0)                        # 6 3 "from B"
A: msgrcv(q, 100, 0)                        # 6 4 "from C"
## and in the end the queue goes
B: msgrcv(q, 100, 0)                        # blocked
A: msgsnd(q, {1, "12345678901234567890"})   # 0; B: 20 1 "12345678901234567890"
B: msgrcv(q, 100, 5)                        # blocked
A: msgsnd(q, {1, "12345678901234567890"})   # 0
C: msgsnd(q, {1, "no room"})                # blocked
A: msgctl(q, IPC_RMID)                      # 0; B: EIDRM; C: EIDRM
