## tcp-full-neighbours: full send buffers of other sizes: TCP_NOTSENT_LOWAT, buffers that grow, SIGIO, timeouts, ends that go away
sysctl("net/ipv4/tcp_rmem", "4096 131072 371456")
sysctl("net/ipv4/tcp_wmem", "4096 16384 371456")
A: socket(AF_INET, SOCK_STREAM) -> l               # 0
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)      # 0
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c               # 1
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s                      # 2
A: setsockopt(c, SOL_TCP, TCP_NOTSENT_LOWAT, 100)  # 0
A: send(c, "x" * 3000, MSG_DONTWAIT)               # 3000
A: poll([{c, POLLOUT}], 0)                         # _
A: send(c, "x" * 3000, MSG_DONTWAIT)               # EAGAIN
A: poll([{c, POLLOUT}], 0)                         # _
A: fork() -> B
A: fork() -> C
B: send(c, "x" * 1000, 0)                          # blocked
C: select(100, NULL, [c], NULL, {0, 50000})        # blocked
wait(200)
A: recv(s, 5000, 0)                                # 2000
A: recv(s, 5000, MSG_DONTWAIT)                     # 2000
A: recv(s, 5000, MSG_DONTWAIT)                     # EAGAIN
A: recv(s, 5000, MSG_DONTWAIT)                     # EAGAIN
A: poll([{c, POLLOUT}], 0)                         # _
A: shutdown(c, SHUT_WR)                            # 0
A: recv(s, 5000, MSG_DONTWAIT)                     # 0
## buffers that grow by themselves
A: socket(AF_INET, SOCK_STREAM) -> l               # 3
A: bind(l, inet("127.0.0.1", 5010))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c               # 4
A: connect(c, inet("127.0.0.1", 5010))             # 0
A: accept(l, NULL, NULL) -> s                      # 5
A: epoll_create1(0) -> e                           # 6
A: epoll_ctl(e, EPOLL_CTL_ADD, c, {events=EPOLLOUT|EPOLLET|EPOLLIN}) # 0
A: epoll_wait(e, 4, 0)                             # 1
repeat 20 as i {
A: send(c, "x" * 400000, MSG_DONTWAIT)          ## as much as there is room for
A: epoll_wait(e, 4, 0)                             # 0
}
A: poll([{c, POLLOUT}], 0)                         # 0
A: fcntl(c, F_SETOWN, A)                           # 0
A: ioctl(c, FIOASYNC, 1)                           # 0
A: poll([{c, POLLOUT}], 0)                         # 0
A: fork() -> D
D: send(c, "y" * 1000, 0)                          # blocked
repeat 12 as i {
A: recv(s, 300000, MSG_DONTWAIT)          ## all that is there
A: epoll_wait(e, 4, 0)                         ## whether there is room again
}
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 5000)      # 0
A: poll([{c, POLLOUT}], 0)                         # 1
A: epoll_wait(e, 4, 0)                             # 1
A: setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, {0, 40000}) # 0
A: send(c, "z" * 480000, 0)                        # blocked
wait(500)
A: shutdown(s, SHUT_RDWR)                          # 0
A: poll([{c, POLLOUT}], 0)                         # 0
A: close(s)                                        # 0
A: poll([{c, POLLOUT}], 0)                         # 0
## who waits when the reader goes
A: socket(AF_INET, SOCK_STREAM) -> l               # 5
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)      # 0
A: bind(l, inet("127.0.0.1", 5020))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c               # 7
A: connect(c, inet("127.0.0.1", 5020))             # 0
A: accept(l, NULL, NULL) -> s                      # 8
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 5000)      # 0
A: send(c, "x" * 400000, MSG_DONTWAIT)          ## as much as there is room for
A: fork() -> E
A: fork() -> F
F: close(s)                                        # 0
A: close(s)                                        # 0
E: close(s)                                        # 0
F: poll([{c, POLLOUT}], -1)                        # 1
E: send(c, "y" * 1000, 0)                          # ECONNRESET
A: poll([{c, POLLOUT}], 0)                         # 1
