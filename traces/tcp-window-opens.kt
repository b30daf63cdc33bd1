## tcp-window-opens: who reads opens the window, and what waited for that comes within the reader's own call
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)                # 0
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: fork() -> B
## a FIN: both of its signals are there before recv() returns
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
A: fcntl(s, F_SETOWN, A)                                     # 0
A: fcntl(s, F_SETSIG, SIGRTMIN)                              # 0
A: fcntl(s, F_SETFL, O_ASYNC|O_NONBLOCK)                     # 0
B: send(c, "x" * 1000, 0)                                    # 1000; A: SIGRTMIN
B: send(c, "x" * 1000, 0)                                    # 1000; A: SIGRTMIN
B: shutdown(c, SHUT_WR)                                      # 0
B: ioctl(c, SIOCOUTQNSD)                                     # 0 1
A: recv(s, 1000, MSG_PEEK)                                   # 1000
A: recv(s, 5000, 0)                                          # 2000; A: SIGRTMIN; A: SIGRTMIN
A: recv(s, 5000, 0)                                          # 0
A: close(s)                                                  # 0
B: close(c)                                                  # 0
## bytes, and a FIN behind them
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
A: fcntl(s, F_SETOWN, A)                                     # 0
A: fcntl(s, F_SETFL, O_ASYNC)                                # 0
A: epoll_create1(0) -> e
A: epoll_ctl(e, EPOLL_CTL_ADD, s, {events=EPOLLIN|EPOLLET})  # 0
B: send(c, "x" * 1000, 0)                                    # 1000; A: SIGIO
B: send(c, "x" * 1000, 0)                                    # 1000; A: SIGIO
B: send(c, "y" * 500, 0)                                     # 500
B: close(c)                                                  # 0
A: epoll_wait(e, 4, 0)                                       # 1
A: recv(s, 2000, 0)                                          # 2000; A: SIGIO
A: epoll_wait(e, 4, 0)                                       # 1
A: recv(s, 2000, 0)                                          # 500
A: recv(s, 2000, 0)                                          # 0
A: close(s)                                                  # 0
A: close(e)                                                  # 0
## splice() goes on with what its own reading let through
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
A: pipe([r, w])                                              # 0
B: send(c, "x" * 1000, 0)                                    # 1000
B: send(c, "x" * 1000, 0)                                    # 1000
B: send(c, "y" * 500, MSG_DONTWAIT)                          # 500
A: splice(s, NULL, w, NULL, 5000, 0)                         # 2500
A: read(r, 5000)                                             # 2500
A: close(s)                                                  # 0
B: close(c)                                                  # 0
## with SO_LINGER, close() waits until the FIN was taken
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
B: setsockopt(c, SOL_SOCKET, SO_LINGER, {1, 1000})           # 0
B: send(c, "x" * 1000, 0)                                    # 1000
B: send(c, "x" * 1000, 0)                                    # 1000
B: close(c)                                                  # blocked
A: recv(s, 2000, 0)                                          # 2000; B: 0
A: recv(s, 1500, MSG_DONTWAIT)                               # 0
A: close(s)                                                  # 0
## both ends at once
B: socket(AF_INET, SOCK_STREAM) -> c
B: setsockopt(c, SOL_SOCKET, SO_RCVBUF, 2000)                # 0
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
B: send(c, "x" * 1000, 0)                                    # 1000
B: send(c, "x" * 1000, 0)                                    # 1000
A: send(s, "x" * 1000, 0)                                    # 1000
A: send(s, "x" * 1000, 0)                                    # 1000
A: shutdown(s, SHUT_WR)                                      # 0
B: shutdown(c, SHUT_WR)                                      # 0
A: recv(s, 1000, 0)                                          # 1000
A: recv(s, 1000, 0)                                          # 1000
A: recv(s, 1000, 0)                                          # 0
B: recv(c, 1000, 0)                                          # 1000
B: recv(c, 1000, 0)                                          # 1000
B: recv(c, 1000, 0)                                          # 0
A: close(s)                                                  # 0
B: close(c)                                                  # 0
## closed before it is accepted
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
B: send(c, "x" * 1000, 0)                                    # 1000
B: send(c, "x" * 1000, 0)                                    # 1000
B: exit(0)                                                   # B: exited 0
A: accept(l, NULL, NULL) -> s
A: recv(s, 5000, 0)                                          # 2000
A: recv(s, 5000, 0)                                          # 0
A: close(s)                                                  # 0
