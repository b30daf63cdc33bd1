## tcp-fin-full: a FIN that the receiver has no room for: a window that is full holds it back, a full buffer drops it until it is sent again
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: fork() -> B
## closed: what is unread overfills a buffer that became small (later kernels take a FIN without bytes all the same)
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
A: setsockopt(s, SOL_SOCKET, SO_RCVBUF, 3200)                # 0
B: send(c, "x" * 5000, 0)                                    # 5000
B: send(c, "x" * 5000, 0)                                    # 5000
B: close(c)                                                  # 0
A: recv(s, 10000, MSG_WAITALL)                               # 10000
## exit, over IPv6, with bytes that are dropped before it
A: socket(AF_INET6, SOCK_STREAM) -> m
A: bind(m, inet6("::1", 5000))                               # 0
A: listen(m, 5)                                              # 0
A: fork() -> C
C: socket(AF_INET6, SOCK_STREAM) -> c
C: connect(c, inet6("::1", 5000))                            # 0
A: accept(m, NULL, NULL) -> t
A: setsockopt(t, SOL_SOCKET, SO_RCVBUF, 3200)                # 0
C: send(c, "x" * 5000, 0)                                    # 5000
C: send(c, "x" * 5000, 0)                                    # 5000
C: send(c, "x" * 5000, 0)                                    # 5000
C: exit(0)                                                   # C: exited 0
A: recv(t, 10000, 0)                                         # 10000
## shutdown(): its own side shows that the FIN was sent
A: fork() -> D
D: socket(AF_INET, SOCK_STREAM) -> c
D: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> u
A: setsockopt(u, SOL_SOCKET, SO_RCVBUF, 3200)                # 0
D: send(c, "x" * 5000, 0)                                    # 5000
D: send(c, "x" * 5000, 0)                                    # 5000
D: shutdown(c, SHUT_WR)                                      # 0
D: ioctl(c, SIOCOUTQNSD)                                     # 0 0
A: recv(u, 10000, MSG_WAITALL)                               # 10000
## a window that is full before the FIN holds it back: reading opens it
A: socket(AF_INET, SOCK_STREAM) -> n
A: setsockopt(n, SOL_SOCKET, SO_RCVBUF, 2000)                # 0
A: bind(n, inet("127.0.0.1", 5001))                          # 0
A: listen(n, 5)                                              # 0
D: socket(AF_INET, SOCK_STREAM) -> d
D: connect(d, inet("127.0.0.1", 5001))                       # 0
A: accept(n, NULL, NULL) -> v
D: send(d, "x" * 1000, 0)                                    # 1000
D: send(d, "x" * 1000, 0)                                    # 1000
D: shutdown(d, SHUT_WR)                                      # 0
D: ioctl(d, SIOCOUTQNSD)                                     # 0 1
A: poll([{v, POLLIN|POLLRDHUP}], 0)                          # 1 [POLLIN]
A: recv(v, 1500, 0)                                          # 1500
A: recv(v, 1500, 0)                                          # 500
A: recv(v, 1, 0)                                             # 0
A: close(v)                                                  # 0
D: close(d)                                                  # 0
## closed, where nobody sees whether it was sent
D: socket(AF_INET, SOCK_STREAM) -> d
D: connect(d, inet("127.0.0.1", 5001))                       # 0
A: accept(n, NULL, NULL) -> v
D: send(d, "x" * 1000, 0)                                    # 1000
D: send(d, "x" * 1000, 0)                                    # 1000
D: close(d)                                                  # 0
A: recv(v, 1500, 0)                                          # 1500
A: recv(v, 1500, 0)                                          # 500
A: recv(v, 1, 0)                                             # 0
A: close(v)                                                  # 0
## bytes and FIN that would be one segment, one byte too long
D: socket(AF_INET, SOCK_STREAM) -> d
D: connect(d, inet("127.0.0.1", 5001))                       # 0
A: accept(n, NULL, NULL) -> v
D: send(d, "x" * 1000, 0)                                    # 1000
D: send(d, "x" * 990, 0)                                     # 990
D: send(d, "held back.", MSG_MORE)                           # 10
D: shutdown(d, SHUT_WR)                                      # 0
A: recv(v, 1500, 0)                                          # _
A: recv(v, 1500, 0)                                          # _
A: recv(v, 1500, MSG_DONTWAIT)                               # _
A: close(v)                                                  # 0
D: close(d)                                                  # 0
## an urgent byte fills the window: who skips it does not tell that there is room, so nothing comes before a probe
D: socket(AF_INET, SOCK_STREAM) -> d
D: connect(d, inet("127.0.0.1", 5001))                       # 0
A: accept(n, NULL, NULL) -> v
D: send(d, "x" * 1000, 0)                                    # 1000
D: send(d, "x" * 990, 0)                                     # 990
D: setsockopt(d, SOL_TCP, TCP_CORK, 1)                       # 0
D: send(d, "held back", 0)                                   # 9
D: send(d, "!", MSG_OOB)                                     # 1
D: shutdown(d, SHUT_WR)                                      # 0
D: ioctl(d, SIOCOUTQNSD)                                     # 0 1
A: recv(v, 500, 0)                                           # 500
A: recv(v, 1000, 0)                                          # 1000
A: recv(v, 1000, 0)                                          # 499
A: recv(v, 1000, MSG_DONTWAIT)                               # EAGAIN
## a segment that is dropped is told like one that is taken, as somebody is to make room
D: socket(AF_INET, SOCK_STREAM) -> d
D: connect(d, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> w
A: setsockopt(w, SOL_SOCKET, SO_RCVBUF, 3200)                # 0
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, w, {events=EPOLLIN|EPOLLET})  # 0
D: send(d, "x" * 5000, 0)                                    # 5000
A: epoll_wait(e, 4, 0)                                       # 1
D: send(d, "x" * 5000, 0)                                    # 5000
A: epoll_wait(e, 4, 0)                                       # 1
D: send(d, "x" * 5000, 0)                                    # 5000
A: epoll_wait(e, 4, 0)                                       # 1
D: close(d)                                                  # 0
A: recv(w, 10000, 0)                                         # 10000
## all is sent again in the end
wait(25000)
A: recv(s, 1, MSG_DONTWAIT)                                  # 0
A: recv(t, 10000, MSG_DONTWAIT)                              # 5000
A: recv(u, 1, MSG_DONTWAIT)                                  # 0
A: recv(v, 1, MSG_DONTWAIT)                                  # 0
A: recv(w, 10000, MSG_DONTWAIT)                              # _
A: close(s)                                                  # 0
A: close(t)                                                  # 0
A: close(u)                                                  # 0
D: recv(c, 1, 0)                                             # 0
