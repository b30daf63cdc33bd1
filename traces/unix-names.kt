## unix-names: what AF_UNIX says to odd names, states and flags: streams and packets
A: socket(AF_UNIX, SOCK_STREAM) -> s
A: bind(s, unix(@"a\0b"))                                    # 0
A: getsockname(s)                                            # 0
A: socket(AF_UNIX, SOCK_STREAM) -> t
A: bind(t, unix(@"a\0b"))                                    # EADDRINUSE
A: bind(t, unix(@"a\0b\0"))                                  # 0
A: getsockname(t, 3)                                         # 0
A: getsockname(t, 0)                                         # 0
A: getsockname(t, -1)                                        # EINVAL
A: getsockname(t, BAD, 10)                                   # EFAULT
A: socket(AF_UNIX, SOCK_STREAM) -> u
A: bind(u, {sa_family=AF_UNIX, sa_data=""})                  # 0
A: getsockname(u)                                            # 0
A: bind(u, unix(@"again"))                                   # EINVAL
A: socket(AF_UNIX, SOCK_SEQPACKET) -> q
A: bind(q, unix(@"a\0b"))                                    # 0
A: listen(q, 0)                                              # 0
A: socket(AF_UNIX, SOCK_STREAM) -> v
A: connect(v, unix(@"none"))                                 # ECONNREFUSED
A: socket(AF_UNIX, SOCK_SEQPACKET) -> w
A: connect(w, unix(@"a\0b"))                                 # 0
A: accept(q) -> x
A: send(w, "one", 0)                                         # 3
A: send(w, "", 0)                                            # 0
A: send(w, "three", MSG_EOR)                                 # 5
A: recvmsg(x, {msg_iov=[2, 2], msg_namelen=20, msg_controllen=10}, 0) # 3
A: recvmsg(x, {msg_iov=[2]}, 0)                              # 0
A: recv(x, 3, MSG_PEEK|MSG_TRUNC)                            # 5
A: recv(x, 3, MSG_TRUNC)                                     # 5
A: recv(x, 3, MSG_OOB)                                       # EOPNOTSUPP
A: send(w, "x", MSG_OOB)                                     # EOPNOTSUPP
A: sendto(w, "x", 0, unix(@"whatever"))                      # 1
A: recv(x, 10, 0)                                            # 1
A: shutdown(x, SHUT_RD)                                      # 0
A: send(w, "x", MSG_NOSIGNAL)                                # EPIPE
A: recv(x, 10, 0)                                            # 0
A: shutdown(w, SHUT_RDWR)                                    # 0
A: recv(x, 10, MSG_DONTWAIT)                                 # 0
A: send(x, "x", MSG_NOSIGNAL)                                # EPIPE
A: shutdown(w, 3)                                            # EINVAL
A: shutdown(w, -1)                                           # EINVAL
A: listen(s, -1)                                             # 0
A: socket(AF_UNIX, SOCK_STREAM) -> c1
A: connect(c1, unix(@"a\0b"))                                # 0
A: connect(c1, unix(@"a\0b"))                                # EISCONN
A: connect(s, unix(@"a\0b"))                                 # EINVAL
A: accept(c1)                                                # EINVAL
A: listen(c1, 1)                                             # EINVAL
A: listen(v, 1)                                              # EINVAL
A: bind(v, {sa_family=AF_INET, sa_data="xxxxx"})             # EINVAL
A: bind(v, unix("/nosuch/dir"))                              # ENOENT
A: bind(v, unix("/tmp"))                                     # EADDRINUSE
A: bind(v, unix("/tmp/sock/"))                               # ENOENT
A: mkdir("/tmp/d", 0700)                                     # 0
A: bind(v, unix("/tmp/d/s"))                                 # 0
A: listen(v, 1)                                              # 0
A: chmod("/tmp/d/s", 0)                                      # 0
A: fork() -> B
spawn U uid=1000 gid=1000
U: socket(AF_UNIX, SOCK_STREAM) -> us
U: connect(us, unix("/tmp/d/s"))                             # EACCES
A: chmod("/tmp/d", 0755)                                     # 0
U: connect(us, unix("/tmp/d/s"))                             # EACCES
A: chmod("/tmp/d/s", 0666)                                   # 0
U: connect(us, unix("/tmp/d/s"))                             # 0
U: getsockopt(us, SOL_SOCKET, SO_PEERCRED)                   # 0
U: getpeername(us)                                           # 0
A: unlink("/tmp/d/s")                                        # 0
U: socket(AF_UNIX, SOCK_STREAM) -> us2
U: connect(us2, unix("/tmp/d/s"))                            # ENOENT
A: accept(v) -> va
A: getpeername(va)                                           # 0
A: getsockopt(va, SOL_SOCKET, SO_PEERCRED)                   # 0
A: getpeername(v)                                            # ENOTCONN
U: send(us, "q", MSG_OOB)                                    # 1
A: ioctl(va, SIOCATMARK)                                     # 0
A: recv(va, 10, MSG_DONTWAIT)                                # EAGAIN
A: recv(va, 10, MSG_OOB)                                     # EINVAL
A: recv(va, 10, MSG_OOB)                                     # EINVAL
A: recv(va, 10, MSG_DONTWAIT)                                # EAGAIN
U: send(us, "abc", MSG_OOB)                                  # 3
U: send(us, "def", 0)                                        # 3
A: recv(va, 1, MSG_DONTWAIT)                                 # 1
A: ioctl(va, FIONREAD)                                       # 0
A: ioctl(va, SIOCATMARK)                                     # 0
A: recv(va, 10, MSG_DONTWAIT)                                # 1
A: ioctl(va, SIOCATMARK)                                     # 0
A: recv(va, 10, MSG_DONTWAIT)                                # 3
U: close(us)                                                 # 0
A: recv(va, 10, MSG_DONTWAIT)                                # 0
A: ioctl(va, 0x1234)                                         # ENOTTY
A: ioctl(v, FIONREAD)                                        # EINVAL
A: ioctl(va, TIOCOUTQ)                                       # 0
