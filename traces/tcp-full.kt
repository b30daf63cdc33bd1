## tcp-full: a send buffer that is full: who sees it, who waits, who is told when the reader makes room
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)      # 0
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 20000)     # 0
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: poll([{c, POLLOUT}], 0)                         # 1 [POLLOUT]
## edge-triggered: one event while there is room, the next when there is some again
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, c, {events=EPOLLOUT|EPOLLET})   # 0
A: epoll_wait(e, 4, 0)                             # 1
A: send(c, "x" * 400000, MSG_DONTWAIT)             # _
A: send(c, "x", MSG_DONTWAIT)                      # EAGAIN
A: poll([{c, POLLOUT}], 0)                         # 0 [0]
A: select(100, NULL, [c], NULL, {0, 0})            # 0
A: epoll_wait(e, 4, 0)                             # 0
## sleepers in poll(), select(), epoll_wait(), send(), splice()
A: pipe([r, w])                                    # 0
A: write(w, "from a pipe")                         # 11
A: fork() -> B
A: fork() -> C
A: fork() -> D
A: fork() -> E
A: fork() -> F
B: poll([{c, POLLOUT}], -1)                        # blocked
C: select(100, NULL, [c], NULL, NULL)              # blocked
D: epoll_wait(e, 4, -1)                            # blocked
E: send(c, "y" * 100, 0)                           # blocked
F: splice(r, NULL, c, NULL, 11, 0)                 # blocked
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: poll([{c, POLLOUT}], 0)                         # 1 [POLLOUT]
A: close(e)                                        # 0
A: close(c)                                        # 0
A: close(s)                                        # 0
## IPv6, and IPv4 below it
A: socket(AF_INET6, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)      # 0
A: bind(l, inet6("::", 5001))                      # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET6, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 9000)      # 0
A: connect(c, inet6("::1", 5001))                  # 0
A: accept(l, NULL, NULL) -> s
A: socket(AF_INET6, SOCK_STREAM) -> c4
A: connect(c4, inet6("::ffff:127.0.0.1", 5001))    # 0
A: accept(l, NULL, NULL) -> s4
A: send(c, "6" * 100000, MSG_DONTWAIT)             # _
A: send(c4, "4" * 400000, MSG_DONTWAIT)           # _
A: send(c4, "4" * 400000, MSG_DONTWAIT)           # EAGAIN
A: poll([{c, POLLOUT}, {c4, POLLOUT}], 0)          # 0 [0, 0]
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, c, {events=EPOLLOUT|EPOLLET, data=6})    # 0
A: epoll_ctl(e, EPOLL_CTL_ADD, c4, {events=EPOLLOUT|EPOLLET, data=4})   # 0
A: epoll_wait(e, 4, 0)                             # 0
## a larger buffer is room, too
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 90000)     # 0
A: epoll_wait(e, 4, 0)                             # 1
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 100000)    # 0
A: epoll_wait(e, 4, 0)                             # 1
## TCP_NOTSENT_LOWAT: what is not sent counts, and only half of it leaves room
A: setsockopt(c, SOL_TCP, TCP_NOTSENT_LOWAT, 1000) # 0
A: epoll_wait(e, 4, 0)                             # 0
A: poll([{c, POLLOUT}], 0)                         # 0 [0]
A: setsockopt(c, SOL_TCP, TCP_NOTSENT_LOWAT, 1000000)  # 0
A: epoll_wait(e, 4, 0)                             # 1
A: poll([{c, POLLOUT}], 0)                         # 1 [POLLOUT]
## nobody is asked for room where nothing may be sent any more
A: shutdown(c4, SHUT_WR)                           # 0
A: poll([{c4, POLLOUT}], 0)                        # 1 [POLLOUT]
A: close(s4)                                       # 0
A: poll([{c4, POLLOUT}], 0)                        # 1
