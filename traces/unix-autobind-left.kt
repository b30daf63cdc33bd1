## unix-autobind-left: names that the kernel chose, beside those that closed sockets have still
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [p, q])         # 0
A: setsockopt(p, SOL_SOCKET, SO_PASSCRED, 1)          # 0
A: send(p, "left", 0)                                 # 4
A: close(p)                                           # 0
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [x, y])         # 0
A: setsockopt(x, SOL_SOCKET, SO_PASSCRED, 1)          # 0
A: send(x, "here", 0)                                 # 4
A: socket(AF_UNIX, SOCK_STREAM, 0) -> l               # 3
A: bind(l, unix())                                    # 0
A: listen(l, 4)                                       # 0
A: socket(AF_UNIX, SOCK_STREAM, 0) -> c               # 4
A: setsockopt(c, SOL_SOCKET, SO_PASSCRED, 1)          # 0
A: bind(c, unix())                                    # 0
A: recv(q, 10, 0)                                     # 4
A: close(l)                                           # 0
A: socket(AF_UNIX, SOCK_DGRAM, 0) -> d                # 3
A: bind(d, unix())                                    # 0
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> n   # 5
A: bind(n, netlink(0, 0))                             # 0
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> m   # 6
A: bind(m, netlink(0, 0))                             # 0
## any number that is free is right once, and stays
A: getsockname(m)                                     # 0
A: close(m)                                           # 0
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> m   # 6
A: bind(m, netlink(0, 0))                             # 0
A: getsockname(m)                                     # 0
