## unix-epollout: an edge-triggered EPOLLOUT of AF_UNIX: buffers that are freed tell of room, sends that fail before they take one do not
A: socket(AF_UNIX, SOCK_DGRAM) -> s
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, s, {events=EPOLLOUT|EPOLLET})   # 0
A: epoll_wait(e, 4, 0)                             # 1
A: epoll_wait(e, 4, 0)                             # 0
A: send(s, "x", 0)                                 # ENOTCONN
A: epoll_wait(e, 4, 0)                             # 1 if unix_dgram_allocates_first else 0
A: sendto(s, "x", 0, unix(@"nobody"))              # ECONNREFUSED
A: epoll_wait(e, 4, 0)                             # _
A: sendto(s, "x" * 300000, 0, unix(@"nobody"))     # EMSGSIZE
A: epoll_wait(e, 4, 0)                             # 0
A: send(s, "x", MSG_OOB)                           # EOPNOTSUPP
A: epoll_wait(e, 4, 0)                             # 0
A: socket(AF_UNIX, SOCK_DGRAM) -> r
A: bind(r, unix(@"r"))                             # 0
A: sendto(s, "x", 0, unix(@"r"))                   # 1
A: epoll_wait(e, 4, 0)                             # 0
A: recv(r, 10, 0)                                  # 1
A: epoll_wait(e, 4, 0)                             # 1
## a stream
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: epoll_ctl(e, EPOLL_CTL_ADD, a, {events=EPOLLOUT|EPOLLET, data=1})   # 0
A: epoll_wait(e, 4, 0)                             # 1
A: send(a, "x" * 100000, MSG_DONTWAIT)             # _
A: send(a, "x" * 100000, MSG_DONTWAIT)             # _
A: send(a, "x" * 100000, MSG_DONTWAIT)             # 36544
A: send(a, "x" * 100000, MSG_DONTWAIT)             # EAGAIN
A: poll([{a, POLLOUT}], 0)                         # 0
A: epoll_wait(e, 4, 0)                             # 0
A: recv(b, 1000, 0)                                # 1000
A: epoll_wait(e, 4, 0)                             # _
A: recv(b, 200000, 0)                              # _
A: epoll_wait(e, 4, 0)                             # _
A: shutdown(b, SHUT_RD)                            # 0
A: epoll_wait(e, 4, 0)                             # 1
A: send(a, "x", MSG_NOSIGNAL)                      # EPIPE
A: epoll_wait(e, 4, 0)                             # _
