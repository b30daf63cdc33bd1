## unix-garbage: what AF_UNIX's collector drops: a jiffy later who waits for pipes, FIFOs, TCP, epoll sets hears of it
A: pipe([r, w])                                    # 0
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [c, d])      # 0
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d, w]}]}, 0)   # 1
A: close(w)                                        # 0
A: close(d)                                        # 0
A: close(c)                                        # 0
wait(100)
A: poll([{r, POLLIN}], 0)                          # 1 [POLLHUP]
A: read(r, 1)                                      # 0
A: close(r)                                        # 0
## one that waits for bytes, one that polls: the last writer goes
A: pipe([r, w])                                    # 0
A: fork() -> B
A: fork() -> C
B: close(w)                                        # 0
C: close(w)                                        # 0
B: read(r, 100)                                    # blocked
C: poll([{r, POLLIN}], -1)                         # blocked
A: close(r)                                        # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [c, d])     # 0
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d, w]}]}, 0)   # 1
A: close(w)                                        # 0
A: close(d)                                        # 0
A: close(c)                                        # 0
wait(100)
B: close(r)                                        # 0
C: close(r)                                        # 0
## one that waits for room in a FIFO: the last reader goes, EPIPE
A: mkfifo("/tmp/fifo", 0600)                       # 0
A: open("/tmp/fifo", O_RDWR) -> rw
A: open("/tmp/fifo", O_RDONLY) -> r
B: open("/tmp/fifo", O_WRONLY) -> w
A: fcntl(rw, F_SETPIPE_SZ, 4096)                   # 4096
B: write(w, "x" * 5000)                            # blocked
A: socketpair(AF_UNIX, SOCK_SEQPACKET, 0, [c, d])  # 0
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d, r, rw]}]}, 0)   # 1
A: close(rw)                                       # 0
A: close(r)                                        # 0
A: close(d)                                        # 0
A: close(c)                                        # 0
wait(100)
B: close(w)                                        # 0
## TCP: the peer of the one that goes reads the end of the stream; who connects to a listener that went is refused
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> t
A: connect(t, inet("127.0.0.1", 5000))             # 0
B: socket(AF_INET, SOCK_STREAM) -> u
A: accept(l, NULL, NULL) -> s
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [c, d])      # 0
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d, s, l]}]}, 0)   # 1
A: close(s)                                        # 0
A: close(l)                                        # 0
A: close(d)                                        # 0
A: close(c)                                        # 0
wait(100)
A: recv(t, 10, MSG_DONTWAIT)                       # 0
A: poll([{t, POLLIN|POLLRDHUP}], 0)                # 1 [POLLIN|POLLRDHUP]
B: connect(u, inet("127.0.0.1", 5000))             # ECONNREFUSED
## an epoll set that goes no longer watches, a file that goes gives its memory back
A: pipe([r, w])                                    # 0
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, r, {events=EPOLLIN})    # 0
A: epoll_ctl(e, EPOLL_CTL_ADD, t, {events=EPOLLOUT})   # 0
A: memfd_create("memory", 0) -> m
A: write(m, "bytes")                               # 5
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [c, d])      # 0
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d, e, m]}]}, 0)   # 1
A: close(e)                                        # 0
A: close(m)                                        # 0
A: close(d)                                        # 0
A: close(c)                                        # 0
wait(100)
A: write(w, "nobody watches")                      # 14
A: close(t)                                        # 0
## a socket that goes drops what it was sent in turn: another jiffy later
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [x, y])      # 0
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [c, d])      # 0
A: sendmsg(x, {msg_iov=["2"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [w]}]}, 0)         # 1
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d, y]}]}, 0)      # 1
A: close(w)                                        # 0
A: close(y)                                        # 0
A: close(d)                                        # 0
A: close(c)                                        # 0
wait(100)
wait(100)
A: read(r, 100)                                    # 14 "nobody watches"
A: read(r, 100)                                    # 0
A: send(x, "to nobody", 0)                         # ECONNREFUSED
## one that holds itself and waits at another that does: the end of the other lets it be found, in the same step
A: pipe([r, w])                                    # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, i])     # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [y, j])     # 0
A: sendmsg(i, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [x, w]}]}, 0)   # 1
A: sendmsg(j, {msg_iov=["2"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [x]}]}, 0)      # 1
A: sendmsg(j, {msg_iov=["3"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [y]}]}, 0)      # 1
A: close(w)                                        # 0
A: close(x)                                        # 0
A: close(i)                                        # 0
A: close(y)                                        # 0
A: poll([{r, POLLIN}], 0)                          # 0
A: close(j)                                        # 0
A: poll([{r, POLLIN}], 0)                          # 1 [POLLHUP]
A: close(r)                                        # 0
