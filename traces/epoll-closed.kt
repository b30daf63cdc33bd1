## epoll-closed: a descriptor is closed while another task of the same table sleeps on its file: the epoll set still leads there
A: epoll_create1(0) -> e
A: fork(CLONE_FILES) -> B
## a datagram socket, netlink, a stream, a pipe
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [s, t])      # 0
A: epoll_ctl(e, EPOLL_CTL_ADD, s, {EPOLLIN, 1})    # 0
B: recvfrom(s, 100, 0)                             # blocked
A: close(s)                                        # 0
A: epoll_wait(e, 8, 0)                             # 0
A: send(t, "x", 1, 0)                              # 1; B: 1
A: epoll_wait(e, 8, 0)                             # 0
A: close(t)                                        # 0
A: socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) -> n
A: epoll_ctl(e, EPOLL_CTL_ADD, n, {EPOLLIN, 2})    # 0
B: recvfrom(n, 100, 0)                             # blocked
A: close(n)                                        # 0
A: epoll_wait(e, 8, 0)                             # 0
kill(B, SIGUSR1)                                   # B: SIGUSR1; B: EINTR
A: socket(AF_INET, SOCK_STREAM) -> l
A: listen(l, 1)                                    # 0
A: epoll_ctl(e, EPOLL_CTL_ADD, l, {EPOLLIN, 3})    # 0
B: accept(l, NULL, NULL)                           # blocked
A: close(l)                                        # 0
A: epoll_wait(e, 8, 0)                             # 0
kill(B, SIGUSR1)                                   # B: SIGUSR1; B: EINTR
A: pipe([r, w])                                    # 0
A: epoll_ctl(e, EPOLL_CTL_ADD, r, {EPOLLIN, 4})    # 0
B: read(r, 10)                                     # blocked
A: close(r)                                        # 0
A: epoll_wait(e, 8, 0)                             # 0
A: write(w, "abc", 3)                              # 3; B: 3
A: epoll_wait(e, 8, 0)                             # 0
