## tcp-buffer-unlocked: SO_BUF_LOCK gives buffers back to the kernel: a window that was small stays so, one that is too large may shrink
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)                # 0
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
A: setsockopt(s, SOL_SOCKET, SO_BUF_LOCK, 0)                 # 0
B: send(c, "x" * 1000, 0)                                    # 1000
B: send(c, "x" * 1000, 0)                                    # 1000
B: send(c, "x" * 1000, 0)                                    # 1000
B: shutdown(c, SHUT_WR)                                      # 0
A: recv(s, 5000, 0)                                          # _
A: recv(s, 5000, 0)                                          # _
A: recv(s, 5000, 0)                                          # _
A: close(s)                                                  # 0
B: close(c)                                                  # 0
## unlocked before there is a connection
B: socket(AF_INET, SOCK_STREAM) -> c
B: setsockopt(c, SOL_SOCKET, SO_RCVBUF, 2000)                # 0
B: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 3000)                # 0
B: setsockopt(c, SOL_SOCKET, SO_BUF_LOCK, 0)                 # 0
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
B: send(c, "x" * 10000, MSG_DONTWAIT)                        # _
A: send(s, "x" * 3000, MSG_DONTWAIT)                         # 3000
A: send(s, "x" * 3000, MSG_DONTWAIT)                         # 3000
A: close(l)                                                  # 0
A: recv(s, 5000, MSG_DONTWAIT)                               # _
A: recv(s, 5000, MSG_DONTWAIT)                               # _
A: recv(s, 5000, MSG_DONTWAIT)                               # _
B: recv(c, 5000, MSG_DONTWAIT)                               # _
B: recv(c, 5000, MSG_DONTWAIT)                               # _
B: recv(c, 5000, MSG_DONTWAIT)                               # _
A: close(s)                                                  # 0
B: close(c)                                                  # 0
## larger than what they grow to by themselves: a receive buffer stays, a send buffer shrinks with the next acknowledgement
A: socket(AF_INET, SOCK_STREAM) -> m
A: bind(m, inet("127.0.0.1", 5001))                          # 0
A: listen(m, 5)                                              # 0
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5001))                       # 0
A: accept(m, NULL, NULL) -> s
B: setsockopt(c, SOL_SOCKET, SO_RCVBUF, 212992)              # 0
B: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 212992)              # 0
B: setsockopt(c, SOL_SOCKET, SO_BUF_LOCK, 0)                 # 0
B: send(c, "x" * 5000, 0)                                    # 5000
A: recv(s, 5000, 0)                                          # 5000
A: send(s, "x" * 5000, 0)                                    # 5000
B: recv(c, 5000, 0)                                          # 5000
B: getsockopt(c, SOL_SOCKET, SO_RCVBUF)                      # 0
B: getsockopt(c, SOL_SOCKET, SO_SNDBUF)                      # 0
## a small send buffer that may grow again
B: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 3000)                # 0
B: setsockopt(c, SOL_SOCKET, SO_BUF_LOCK, 0)                 # 0
B: setsockopt(c, SOL_TCP, TCP_CORK, 1)                       # 0
B: send(c, "x" * 5000, MSG_DONTWAIT)                         # _
B: send(c, "x" * 5000, MSG_DONTWAIT)                         # _
B: send(c, "x" * 5000, MSG_DONTWAIT)                         # _
B: poll([{c, POLLOUT}], 0)                                   # _
B: close(c)                                                  # 0
A: recv(s, 50000, 0)                                         # _
A: recv(s, 50000, 0)                                         # _
A: close(s)                                                  # 0
## in packets as small as the peer's window asks for
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)                # 0
A: bind(l, inet("127.0.0.1", 5002))                          # 0
A: listen(l, 5)                                              # 0
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5002))                       # 0
A: accept(l, NULL, NULL) -> s
B: setsockopt(c, SOL_SOCKET, SO_SNDBUF, 3000)                # 0
B: setsockopt(c, SOL_SOCKET, SO_BUF_LOCK, 0)                 # 0
B: setsockopt(c, SOL_TCP, TCP_CORK, 1)                       # 0
repeat 9 as i {
B: send(c, "x" * 900, MSG_DONTWAIT)                          ## as long as there is room
}
A: recv(s, 50000, 0)                                         # _
A: recv(s, 50000, MSG_DONTWAIT)                              # _
B: close(c)                                                  # 0
A: recv(s, 50000, MSG_DONTWAIT)                              # _
A: recv(s, 50000, MSG_DONTWAIT)                              # _
A: recv(s, 50000, MSG_DONTWAIT)                              # _
A: recv(s, 50000, MSG_DONTWAIT)                              # _
A: recv(s, 50000, MSG_DONTWAIT)                              # _
A: close(s)                                                  # 0
## TCP_WINDOW_CLAMP makes a window small where the buffer is large: once what was offered before is used up
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5003))                          # 0
A: listen(l, 5)                                              # 0
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5003))                       # 0
A: accept(l, NULL, NULL) -> s
A: setsockopt(s, SOL_TCP, TCP_WINDOW_CLAMP, 2000)            # 0
repeat 8 as i {
B: send(c, "x" * 12000, 0)                                   # 12000
A: recv(s, 50000, MSG_DONTWAIT)                              ## as much as the window let through
}
B: send(c, "x" * 5000, 0)                                    # 5000
B: shutdown(c, SHUT_WR)                                      # 0
A: recv(s, 5000, MSG_DONTWAIT)
wait(25000)
A: recv(s, 50000, MSG_DONTWAIT)
A: recv(s, 50000, MSG_DONTWAIT)
