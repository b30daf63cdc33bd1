## msg-qbytes: a queue made larger and smaller while senders and receivers of several users sleep on it
A: msgget(0x5, IPC_CREAT|0666) -> q
spawn U uid=1000 gid=1000
spawn V uid=1001 gid=1001
spawn W uid=1002
spawn X uid=1003
A: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0666, msg_qbytes=3}) # 0
U: msgsnd(q, {1, ""})                                    # 0
U: msgsnd(q, {1, ""})                                    # 0
U: msgsnd(q, {1, ""})                                    # 0
## empty messages: three are as many as three bytes allow
U: msgsnd(q, {1, ""}, IPC_NOWAIT)                        # EAGAIN
V: msgsnd(q, {2, ""})                                    # blocked
W: msgsnd(q, {3, "ab"})                                  # blocked
X: msgsnd(q, {4, "abcd"})                                # blocked
U: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0666, msg_qbytes=4}) # 0; V: 0
## stricter permissions are noticed only by who is woken
U: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0600, msg_qbytes=0}) # 0
U: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0600, msg_qbytes=5}) # 0; W: EACCES; X: EACCES
U: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0666, msg_qbytes=16385}) # EPERM
A: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0666, msg_qbytes=-1}) # 0
A: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0666, msg_qbytes=1 << 32}) # 0
V: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0666, msg_qbytes=5}) # EPERM
A: msgctl(q, IPC_SET, {uid=-1, gid=1000, mode=0666, msg_qbytes=5}) # EINVAL
A: msgctl(q, IPC_SET, {uid=1001, gid=1000, mode=07777, msg_qbytes=50}) # 0
V: msgctl(q, IPC_SET, {uid=1001, gid=1000, mode=0440, msg_qbytes=50}) # 0
V: msgctl(q, IPC_STAT)                                   # 0
U: msgctl(q, IPC_STAT)                                   # 0
## a receiver sleeps until it may read no more
A: msgrcv(q, 10)                                         # 0 1 ""
A: msgrcv(q, 10)                                         # 0 1 ""
A: msgrcv(q, 10)                                         # 0 1 ""
A: msgrcv(q, 10)                                         # 0 2 ""
U: msgrcv(q, 10, 5)                                      # blocked
A: msgctl(q, IPC_SET, {uid=1001, gid=1001, mode=0, msg_qbytes=50}) # 0; U: EACCES
sysctl("kernel/msgmnb", "100")
sysctl("kernel/msgmax", "10")
A: msgctl(q, IPC_SET, {uid=1001, gid=1001, mode=0666, msg_qbytes=50}) # 0
V: msgctl(q, IPC_SET, {uid=1001, gid=1000, mode=0666, msg_qbytes=101}) # EPERM
V: msgctl(q, IPC_SET, {uid=1001, gid=1000, mode=0666, msg_qbytes=100}) # 0
V: msgsnd(q, {1, "01234567890"})                         # EINVAL
V: msgsnd(q, {1, "0123456789"})                          # 0
sysctl("kernel/msgmni", "1")
A: msgget(IPC_PRIVATE, 0600)                             # ENOSPC
V: msgctl(0, IPC_INFO)                                   # 0
V: msgctl(40, MSG_STAT_ANY)                              # EINVAL
V: msgctl(q, 99)                                         # EINVAL
V: msgctl(q, IPC_STAT, BAD)                              # EFAULT
V: msgctl(q, IPC_SET, BAD)                               # EFAULT
V: msgctl(0, MSG_INFO, BAD)                              # EFAULT
## removal finds senders and receivers asleep
W: msgrcv(q, 10, 9)                                      # blocked
V: msgctl(q, IPC_SET, {uid=1001, gid=1000, mode=0666, msg_qbytes=1}) # 0
X: msgsnd(q, {1, "x"})                                   # blocked
kill(W, SIGKILL)                                         # W: killed SIGKILL
V: msgctl(q, IPC_RMID)                                   # 0; X: EIDRM
