## msg-ctl: msgctl, the size of a queue, and who may change it
A: msgget(0x71, IPC_CREAT|0666) -> q
spawn U uid=1000 gid=1000
spawn V uid=1001 gid=1001
A: msgctl(q, IPC_STAT)                                   # 0 {msg_perm={key=0x71, mode=0666}, msg_qbytes=16384, msg_qnum=0, msg_lspid=0}
U: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0600, msg_qbytes=100})    # EPERM
A: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0622, msg_qbytes=100})    # 0
U: msgsnd(q, {1, "x" * 60})                              # 0
V: msgsnd(q, {1, "y" * 50})                              # blocked
## V may send but not look
## not above the limit without privilege, and less only by the owner
U: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0622, msg_qbytes=16385})  # EPERM
U: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0622, msg_qbytes=110})    # 0; V: 0
A: msgctl(q, IPC_STAT)                                   # 0 {msg_qnum=2, msg_cbytes=110, msg_qbytes=110, msg_lspid="V"}
A: msgctl(q, IPC_SET, {uid=1000, gid=1000, mode=0622, msg_qbytes=100000}) # 0
## sleepers look again when the rights change
U: msgrcv(q, 10, 7)                                      # blocked
A: msgctl(q, IPC_SET, {uid=0, gid=0, mode=0600, msg_qbytes=100000})       # 0; U: EACCES
V: msgsnd(q, {1, "no"})                                  # EACCES
V: msgctl(q, IPC_STAT)                                   # EACCES
V: msgctl(0, MSG_STAT)                                   # EACCES
V: msgctl(0, MSG_STAT_ANY)                               # q
A: msgctl(0, MSG_STAT)                                   # q
A: msgctl(1, MSG_STAT)                                   # EINVAL
A: msgctl(0, IPC_INFO)                                   # 0 {msgmax=8192, msgmnb=16384, msgmni=32000, msgpool=512000, msgseg=65535}
A: msgctl(0, MSG_INFO)                                   # 0 {msgpool=1, msgmap=2, msgtql=110}
V: msgctl(q, IPC_RMID)                                   # EPERM
A: msgctl(q, IPC_STAT, BAD)                              # EFAULT
A: msgctl(q, IPC_SET, BAD)                               # EFAULT
A: msgctl(q, 99)                                         # EINVAL
## limits, while in use
sysctl("kernel/msgmax", "8")
A: msgsnd(q, {1, "123456789"})                           # EINVAL
A: msgsnd(q, {1, "12345678"})                            # 0
sysctl("kernel/msgmni", "1")
A: msgget(IPC_PRIVATE, 0600)                             # ENOSPC
sysctl("kernel/msgmni", "2")
sysctl("kernel/msgmnb", "20")
A: msgget(IPC_PRIVATE, 0600) -> r
A: msgsnd(r, {1, "12345678"}) * 2                        # 0
A: msgsnd(r, {1, "12345678"}, IPC_NOWAIT)                # EAGAIN
A: msgsnd(r, {1, ""}) * 4                                # 0
A: msgctl(q, IPC_RMID)                                   # 0
A: msgctl(0, MSG_INFO)                                   # 1 {msgpool=1, msgmap=6, msgtql=16}
