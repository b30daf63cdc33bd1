## unix-stamps: a datagram of AF_UNIX has the time at which it was sent, if its receiver wanted times by then; else that of its reading
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [x, y])                                    # 0
A: send(x, "before", 0)                                                          # 6
A: setsockopt(y, SOL_SOCKET, SO_TIMESTAMP, 1)                                    # 0
A: send(x, "after", 0)                                                           # 5
wait(100)
A: recvmsg(y, {msg_iov=[10], msg_controllen=100}, 0)                             # 6 "before"
A: recvmsg(y, {msg_iov=[10], msg_controllen=100}, MSG_PEEK)                      # 5 "after"
wait(100)
A: recvmsg(y, {msg_iov=[10], msg_controllen=100}, 0)                             # 5 "after"
## one that nobody has stamped is when it is looked at first
A: setsockopt(y, SOL_SOCKET, SO_TIMESTAMP, 0)                                    # 0
A: send(x, "late", 0)                                                            # 4
A: setsockopt(y, SOL_SOCKET, SO_TIMESTAMPNS, 1)                                  # 0
wait(100)
A: recvmsg(y, {msg_iov=[10], msg_controllen=100}, MSG_PEEK)                      # 4 "late"
wait(100)
A: recvmsg(y, {msg_iov=[10], msg_controllen=100}, 0)                             # 4 "late"
## with files and credentials, in this order
A: setsockopt(y, SOL_SOCKET, SO_PASSCRED, 1)                                     # 0
A: sendmsg(x, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [x]}]}, 0)   # 1
A: recvmsg(y, {msg_iov=[10], msg_controllen=200}, 0)                             # 1
