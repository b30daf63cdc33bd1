## netlink: numbers, groups, messages between processes, and an acknowledgement from the kernel
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK) -> a
A: getsockname(a)                                         # 0 netlink(0, 0)
A: getpeername(a)                                         # 0 netlink(0, 0)
A: bind(a, {sa_family=AF_UNIX, sa_data="\0\0\0\0\0\0\0\0\0\0"})   # EINVAL
A: bind(a, netlink(500, 0))                               # 0
A: bind(a, netlink(501, 0))                               # EINVAL
A: bind(a, netlink(500, 5))                               # 0
A: getsockname(a)                                         # 0 netlink(500, 5)
spawn U uid=1000 gid=1000
U: socket(AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK) -> u
U: bind(u, netlink(500, 0))                               # EADDRINUSE
U: bind(u, netlink(0, 1))                                 # EPERM
U: sendto(u, "hello", 0, netlink(501, 0))                 # ECONNREFUSED
U: getsockname(u)
U: sendto(u, "hello", 0, netlink(500, 0))                 # 5
A: poll([{a, POLLIN, 0}], 0)                              # 1
A: recvfrom(a, 3, MSG_PEEK)                               # 3 "hel"
A: recvfrom(a, 100, 0)                                    # 5 "hello"
A: recvfrom(a, 100, 0)                                    # blocked
U: connect(u, netlink(500, 0))                            # 0
U: getpeername(u)                                         # 0 netlink(500, 0)
U: send(u, "wake", 0)                                     # 4; A: 4 "wake"
U: send(u, "x" * 9000, 0)                                 # 9000
A: recvfrom(a, 10, MSG_TRUNC)                             # 9000 "xxxxxxxxxx"
U: send(u, "", 0)                                         # ENODATA
A: connect(a, netlink(7, 0))                              # 0
U: send(u, "not from 7", 0)                               # ECONNREFUSED
A: connect(a, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0"})   # 0
## too much
A: setsockopt(a, SOL_SOCKET, SO_RCVBUF, 1)                # 0
U: send(u, "x" * 3000, MSG_DONTWAIT)                      # 3000
U: send(u, "more", MSG_DONTWAIT)                          # EAGAIN
A: recvfrom(a, 10, 0)                                     # 10
## two sockets of one process: the second gets a number that nobody has
U: socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK) -> v
U: bind(v, netlink(0, 0))                                 # 0
U: getsockname(v)
U: listen(v, 1)                                           # EOPNOTSUPP
U: shutdown(v, SHUT_RDWR)                                 # EOPNOTSUPP
U: close(u)                                               # 0
## the kernel acknowledges a message that asks for nothing
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> r
A: setsockopt(r, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 1)  # 0
A: setsockopt(r, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0)  # EINVAL
A: setsockopt(r, SOL_NETLINK, NETLINK_PKTINFO, 1)         # 0
A: getsockopt(r, SOL_NETLINK, NETLINK_PKTINFO)            # 0 1
A: sendto(r, "\x10\0\0\0\x01\0\x05\0\x07\0\0\0\0\0\0\0", 0, netlink(0, 0))    # 16
A: recvmsg(r, {msg_iov=[100], msg_namelen=12, msg_controllen=64})             # 36
A: setsockopt(r, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, 1) # 0
## twice in a row without room: the kernel does not wait, the receiver is told that it lost something
A: setsockopt(r, SOL_SOCKET, SO_RCVBUF, 1)                # 0
A: sendto(r, "\x10\0\0\0\x01\0\x05\0\x07\0\0\0\0\0\0\0" * 5, 0, netlink(0, 0))    # 80
A: recvfrom(r, 10, 0)                                     # ENOBUFS
A: recvfrom(r, 10, 0)                                     # 10
A: recvfrom(r, 10, 0)                                     # 10
A: recvfrom(r, 10, MSG_DONTWAIT)                          ## a third one fits on some kernels, as buffers are charged
A: recvfrom(r, 10, MSG_DONTWAIT)                          # EAGAIN
