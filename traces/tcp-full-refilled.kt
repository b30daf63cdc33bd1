## tcp-full-refilled: room in a send buffer that a sleeping writer takes at once: who polls hears of it all the same
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)      # 0
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 5000)      # 0
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: fork() -> B
A: fork() -> C
A: fork() -> D
A: fork() -> E
B: write(c, "x" * 200000)                          # blocked
C: poll([{c, POLLOUT}], -1)                        # blocked
D: select(9, NULL, [c], NULL, NULL)                # blocked
E: epoll_create1(0) -> e
E: epoll_ctl(e, EPOLL_CTL_ADD, c, {events=EPOLLOUT})   # 0
E: epoll_wait(e, 4, -1)                            # blocked
A: recv(s, 3000)                                   # _
A: recv(s, 30000, MSG_DONTWAIT)                    # _
A: recv(s, 30000, MSG_DONTWAIT)                    # _
A: recv(s, 30000, MSG_DONTWAIT)                    # _
A: recv(s, 30000, MSG_DONTWAIT)                    # _
kill(B, SIGKILL)                                   # B: killed SIGKILL
A: close(s)                                        # 0
A: close(c)                                        # 0
## pages that small windows cut into many packets, each of which holds them
A: socket(AF_INET, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 5000)      # 0
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: memfd_create("m", 0) -> m
A: ftruncate(m, 200000)                            # 0
A: fcntl(c, F_SETFL, O_NONBLOCK)                   # 0
A: sendfile(c, m, NULL, 200000)                    # _
A: sendfile(c, m, NULL, 200000)                    # EAGAIN
A: pipe([r, w])                                    # 0
A: write(w, "z" * 5000)                            # 5000
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: splice(r, NULL, c, NULL, 5000, SPLICE_F_NONBLOCK)   # _
A: recv(s, 100000, MSG_DONTWAIT)                   # _
A: splice(r, NULL, c, NULL, 5000, SPLICE_F_NONBLOCK)   # _
A: poll([{c, POLLOUT}], 0)                         # _
