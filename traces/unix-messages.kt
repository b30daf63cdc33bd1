## unix-messages: datagrams, control messages and credentials that are wrong, too long, too many or cut off
A: socket(AF_UNIX, SOCK_DGRAM) -> r
A: socket(AF_UNIX, SOCK_DGRAM) -> s
A: sendto(s, "x", 0, unix(@"nobody"))                        # ECONNREFUSED
A: sendto(s, "x", 0, unix("/tmp/nobody"))                    # ENOENT
A: sendto(s, "x", 0, unix())                                 # EINVAL
A: sendto(s, "x", 0, {sa_family=AF_INET, sa_data="xxx"})     # EINVAL
A: bind(r, unix("/tmp/r"))                                   # 0
A: sendto(s, "x" * 300000, 0, unix("/tmp/r"))                # EMSGSIZE
A: setsockopt(s, SOL_SOCKET, SO_SNDBUF, 1)                   # 0
A: getsockopt(s, SOL_SOCKET, SO_SNDBUF)                      # 0
A: sendto(s, "x" * 4577, 0, unix("/tmp/r"))                  # EMSGSIZE
A: sendto(s, "x" * 4576, 0, unix("/tmp/r"))                  # 4576
A: sendto(s, "x" * 4000, MSG_DONTWAIT, unix("/tmp/r"))       # EAGAIN
A: recv(r, 10, MSG_DONTWAIT)                                 # 10
A: recv(r, 10, MSG_TRUNC|MSG_DONTWAIT)                       # EAGAIN
A: recv(r, 10, MSG_DONTWAIT)                                 # EAGAIN
A: setsockopt(s, SOL_SOCKET, SO_SNDBUF, 100000)              # 0
A: sendmmsg(s, [{msg_name=unix("/tmp/r"), msg_iov=["a", "b"]}, {msg_name=unix("/tmp/r"), msg_iov=[]}, {msg_name=unix("/tmp/none"), msg_iov=["c"]}, {msg_name=unix("/tmp/r"), msg_iov=["d"]}], 0) # 2
A: recvmmsg(r, [{msg_iov=[1], msg_namelen=110}, {msg_iov=[10]}, {msg_iov=[10]}], MSG_DONTWAIT) # 2
A: recvmmsg(r, [{msg_iov=[1]}], MSG_DONTWAIT)                # EAGAIN
A: sendmmsg(s, [{msg_name=unix("/tmp/none"), msg_iov=["c"]}], 0) # ENOENT
A: setsockopt(r, SOL_SOCKET, SO_PASSCRED, 1)                 # 0
A: sendto(s, "cred", 0, unix("/tmp/r"))                      # 4
A: recvmsg(r, {msg_iov=[10], msg_controllen=64, msg_namelen=110}, 0) # 4
A: sendto(s, "cred", 0, unix("/tmp/r"))                      # 4
A: recvmsg(r, {msg_iov=[10]}, 0)                             # 4
A: sendto(s, "cred", 0, unix("/tmp/r"))                      # 4
A: recvmsg(r, {msg_iov=[10], msg_controllen=20}, 0)          # 4
A: setsockopt(s, SOL_SOCKET, SO_PASSCRED, 1)                 # 0
A: sendto(s, "autobound", 0, unix("/tmp/r"))                 # 9
A: recvmsg(r, {msg_iov=[10], msg_controllen=64, msg_namelen=110}, 0) # 9
spawn U uid=1000 gid=1000
U: socketpair(AF_UNIX, SOCK_DGRAM, 0, [p, q])                # 0
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {A, 0, 0}}]}, 0) # EPERM
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {U, 0, 0}}]}, 0) # EPERM
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {U, 1000, 1000}}]}, 0) # 1
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {4000, 1000, 1000}}]}, 0) # EPERM
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, 77, ""}]}, 0) # EINVAL
U: sendmsg(p, {msg_iov=["x"], msg_control=[{77, 77, "abc"}]}, 0) # 1
U: sendmsg(p, {msg_iov=["x"], msg_control="short"}, 0)       # 1
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, []}]}, 0) # 1
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [p, 55]}]}, 0) # EBADF
U: sendmsg(p, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [p]}, {SOL_SOCKET, SCM_RIGHTS, [q]}]}, 0) # 1
U: sendmsg(p, BAD, 0)                                        # EFAULT
U: sendmsg(p, {msg_iov=BAD}, 0)                              # EFAULT
U: sendmsg(p, {msg_name=BAD, msg_iov=["x"]}, 0)              # EFAULT
U: sendmsg(p, {msg_iov=["x"], msg_control=BAD}, 0)           # EFAULT
U: recvmsg(q, {msg_iov=[10], msg_controllen=64}, 0)          # 1
U: recvmsg(q, {msg_iov=[10], msg_controllen=64}, 0)          # 1
U: recvmsg(q, {msg_iov=[10], msg_controllen=64}, 0)          # 1
U: recvmsg(q, {msg_iov=[10], msg_controllen=64}, MSG_PEEK|MSG_CMSG_CLOEXEC) # 1
U: recvmsg(q, {msg_iov=[10], msg_controllen=20}, MSG_DONTWAIT) # 1
U: recvmsg(q, {msg_iov=[10], msg_controllen=20}, MSG_DONTWAIT) # 1
U: recvmsg(q, BAD, MSG_DONTWAIT)                             # EFAULT
U: recvmsg(q, {msg_iov=[10]}, MSG_DONTWAIT|0x80000000)       # EINVAL if compat else EAGAIN
U: connect(p, unix("/tmp/r"))                                # EACCES
A: chmod("/tmp/r", 0777)                                     # 0
U: connect(p, unix("/tmp/r"))                                # 0
U: send(q, "x", 0)                                           # EPERM
U: getpeername(q)                                            # 0
U: send(p, "to r", 0)                                        # 4
U: connect(p, {sa_family=AF_UNSPEC, sa_data=""})             # 0
U: send(p, "x", 0)                                           # ENOTCONN
A: recv(r, 100, MSG_WAITALL|MSG_DONTWAIT)                    # 4
A: shutdown(r, SHUT_RD)                                      # 0
U: sendto(p, "x", 0, unix("/tmp/r"))                         # EPIPE
A: recv(r, 10, MSG_DONTWAIT)                                 # EAGAIN
A: close(r)                                                  # 0
U: sendto(p, "x", 0, unix("/tmp/r"))                         # ECONNREFUSED
