## msg-handover: receivers of every kind wait; who gets a message, who gets an error, and what stays in the queue
A: msgget(IPC_PRIVATE, 0600) -> q
spawn B
spawn C
spawn D
spawn E
spawn F
B: msgrcv(q, 4, -3)                                      # blocked
C: msgrcv(q, 4, 3, MSG_EXCEPT)                           # blocked
D: msgrcv(q, 4, 3, MSG_EXCEPT|MSG_NOERROR)               # blocked
E: msgrcv(q, 100, 0)                                     # blocked
F: msgrcv(q, 0, 0, MSG_NOERROR)                          # blocked
## too long for B, not for C and D, who want no 3: E gets it
A: msgsnd(q, {3, "12345"})                               # 0; B: E2BIG; E: 5 3 "12345"
## too long for nobody who takes anything cut off
A: msgsnd(q, {3, "12345"})                               # 0; F: 0 3 ""
## E2BIG for C, and D takes what fits
A: msgsnd(q, {2, "12345"})                               # 0; C: E2BIG; D: 4 2 "1234"
A: msgsnd(q, {2, "1234"})                                # 0
B: msgrcv(q, 4, -LONG_MAX)                               # 4 2 "1234"
C: msgrcv(q, 4, -LONG_MAX - 1)                           # blocked
A: msgrcv(q, 100, 0, MSG_COPY|IPC_NOWAIT)                # ENOMSG
A: msgrcv(q, 100, -1, MSG_COPY|IPC_NOWAIT)               # ENOMSG
A: msgsnd(q, {LONG_MAX, "max"})                          # 0; C: 3 9223372036854775807 "max"
A: msgsnd(q, {1, ""})                                    # 0
A: msgsnd(q, {0, ""})                                    # EINVAL
A: msgsnd(q, {-1, ""})                                   # EINVAL
A: msgsnd(q, {5, "a"})                                   # 0
A: msgsnd(q, {6, "b"})                                   # 0
A: msgsnd(q, {5, "c"})                                   # 0
A: msgrcv(q, 100, 2, MSG_COPY|IPC_NOWAIT)                # 1 6 "b"
A: msgrcv(q, 100, 5, MSG_COPY|IPC_NOWAIT)                # ENOMSG
A: msgrcv(q, 100, 5, MSG_EXCEPT)                         # 0 1 ""
A: msgrcv(q, 100, -6, MSG_EXCEPT)                        # 1 5 "a"
A: msgrcv(q, 100, -1, IPC_NOWAIT)                        # ENOMSG
## handed over to buffers that are none: the messages are gone
D: msgrcv(q, NULL, 0, 77, 0)                             # blocked
E: msgrcv(q, BAD, 10, 78, 0)                             # blocked
A: msgsnd(q, {77, "12345"})                              # 0; D: E2BIG
A: msgsnd(q, {78, "12345"})                              # 0; E: EFAULT
A: msgctl(q, IPC_STAT)                                   # 0
A: msgrcv(-1, 10, 0)                                     # EINVAL
A: msgrcv(q, -1, 0)                                      # EINVAL
A: msgrcv(q + 32768, 10, 0)                              # EINVAL
A: msgsnd(55, {1, "x"})                                  # EINVAL
A: msgsnd(q, {1, "x"}, msgsz=-1)                         # EINVAL
A: msgsnd(q, {1, "x" * 8193})                            # EINVAL
A: msgsnd(q, {1, "x"}, msgsz=3)                          # 0
