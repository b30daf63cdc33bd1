## socket-waiting: Waiting for sockets, shared descriptors, kills
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 0)                                              # 0
A: fork() -> B
A: fork() -> C
B: accept(l, NULL, NULL) -> b                                # blocked
C: accept(l, NULL, NULL) -> c                                # blocked
A: socket(AF_INET, SOCK_STREAM) -> s1
A: connect(s1, inet("127.0.0.1", 5000))                      # 0; B: _
A: socket(AF_INET, SOCK_STREAM) -> s2
A: connect(s2, inet("127.0.0.1", 5000))                      # 0; C: _
B: recv(b, 10, 0)                                            # blocked
C: recv(c, 10, MSG_WAITALL)                                  # blocked
A: send(s1, "for b", 0)                                      # 5; B: _
A: send(s2, "12345", 0)                                      # 5
A: send(s2, "67890", 0)                                      # 5; C: _
B: recv(b, 10, 0)                                            # blocked
A: shutdown(s1, SHUT_RDWR)                                   # 0; B: _
C: recv(c, 10, 0)                                            # blocked
kill(C, SIGKILL)
A: recv(s2, 10, 0)                                           # 0
A: send(s2, "x", MSG_NOSIGNAL)                               # 1
A: send(s2, "x", MSG_NOSIGNAL)                               # EPIPE
A: socket(AF_INET, SOCK_STREAM) -> s3
A: connect(s3, inet("127.0.0.1", 5000))                      # 0
A: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK) -> s4
A: connect(s4, inet("127.0.0.1", 5000))                      # EINPROGRESS
A: poll([{s4, POLLOUT}, {s3, POLLIN|POLLOUT}, {l, POLLIN}], 0) # 2
B: accept(l, NULL, NULL) -> b2
B: close(b2)                                                 # 0
A: poll([{s3, POLLIN|POLLOUT|POLLRDHUP}], 0)                 # 1
A: send(s3, "x", 0)                                          # 1
A: poll([{s3, POLLIN|POLLOUT|POLLRDHUP}], 0)                 # 1
A: recv(s3, 1, 0)                                            # 0
A: recv(s3, 1, 0)                                            # 0
A: close(l)                                                  # 0
B: shutdown(l, SHUT_RD)                                      # 0
B: accept(l, NULL, NULL)                                     # EINVAL
B: listen(l, 1)                                              # EADDRINUSE
B: getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN)                  # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [p, q])               # 0
A: fork() -> D
D: read(q, 10)                                               # blocked
kill(D, SIGKILL)
A: close(q)                                                  # 0
A: write(p, "x")                                             # EPIPE
A: sigaction(SIGPIPE, SIG_DFL)                               # 0
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [m, n])                # 0
A: writev(m, ["ab", "cd", ""])                               # 4
A: readv(n, [1, 2])                                          # 3
A: write(m, "")                                              # 0
A: read(n, 10)                                               # 0
A: lseek(m, 0, SEEK_SET)                                     # ESPIPE
A: pread64(m, 10, 0)                                         # ESPIPE
A: ioctl(m, FIONBIO, 1)                                      # 0
A: read(m, 10)                                               # EAGAIN
A: fcntl(m, F_SETFL, O_RDWR|020000|O_NONBLOCK)               # 0
A: fcntl(m, F_SETOWN, A)                                     # 0
A: write(n, "sig")                                           # 3
A: read(m, 2)                                                # 2
A: epoll_create1(0) -> ep
A: epoll_ctl(ep, EPOLL_CTL_ADD, m, {EPOLLIN|EPOLLET, 1})     # 0
A: write(n, "one")                                           # 3
A: epoll_wait(ep, 3, 0)                                      # 1
A: epoll_wait(ep, 3, 0)                                      # 0
A: write(n, "two")                                           # 3
A: epoll_wait(ep, 3, 0)                                      # 1
A: select(20, [m], [m], [m], {0, 0})                         # 2
A: shutdown(n, SHUT_RDWR)                                    # 0
A: epoll_wait(ep, 3, 0)                                      # 0
A: write(p, "killed")
