## tcp-full-neighbours: full send buffers of other sizes: TCP_NOTSENT_LOWAT, buffers that grow, SIGIO, timeouts, ends that go away
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)
A: bind(l, inet("127.0.0.1", 5000))
A: listen(l, 5)
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))
A: accept(l, NULL, NULL) -> s
A: setsockopt(c, SOL_TCP, TCP_NOTSENT_LOWAT, 100)
A: send(c, "x" * 3000, MSG_DONTWAIT)
A: poll([{c, POLLOUT}], 0)                         # _
A: send(c, "x" * 3000, MSG_DONTWAIT)
A: poll([{c, POLLOUT}], 0)                         # _
A: fork() -> B
A: fork() -> C
B: send(c, "x" * 1000, 0)
C: select(100, NULL, [c], NULL, {0, 50000})
wait(200)
A: recv(s, 5000, 0)
A: recv(s, 5000, MSG_DONTWAIT)
A: recv(s, 5000, MSG_DONTWAIT)
A: recv(s, 5000, MSG_DONTWAIT)
A: poll([{c, POLLOUT}], 0)                         # _
A: shutdown(c, SHUT_WR)
A: recv(s, 5000, MSG_DONTWAIT)
## buffers that grow by themselves
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5010))
A: listen(l, 5)
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5010))
A: accept(l, NULL, NULL) -> s
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, c, {events=EPOLLOUT|EPOLLET|EPOLLIN})
A: epoll_wait(e, 4, 0)
repeat 20 as i {
A: send(c, "x" * 400000, MSG_DONTWAIT)
A: epoll_wait(e, 4, 0)
}
A: poll([{c, POLLOUT}], 0)
A: fcntl(c, F_SETOWN, A)
A: ioctl(c, FIOASYNC, 1)
A: poll([{c, POLLOUT}], 0)
A: fork() -> D
D: send(c, "y" * 1000, 0)
repeat 12 as i {
A: recv(s, 300000, MSG_DONTWAIT)
A: epoll_wait(e, 4, 0)
}
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 5000)
A: poll([{c, POLLOUT}], 0)
A: epoll_wait(e, 4, 0)
A: setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, {0, 40000})
A: send(c, "z" * 400000, 0)
wait(500)
A: shutdown(s, SHUT_RDWR)
A: poll([{c, POLLOUT}], 0)
A: close(s)
A: poll([{c, POLLOUT}], 0)
## who waits when the reader goes
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)
A: bind(l, inet("127.0.0.1", 5020))
A: listen(l, 5)
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5020))
A: accept(l, NULL, NULL) -> s
A: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 5000)
A: send(c, "x" * 400000, MSG_DONTWAIT)
A: fork() -> E
A: fork() -> F
F: close(s)
A: close(s)
E: close(s)
F: poll([{c, POLLOUT}], -1)
E: send(c, "y" * 1000, 0)
A: poll([{c, POLLOUT}], 0)
