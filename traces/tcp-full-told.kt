## tcp-full-told: who waits in epoll_wait() with EPOLLET hears of a FIN that finds no room (tcp_data_queue_ofo()), though nothing came
A: socket(AF_INET6, SOCK_STREAM) -> l
A: bind(l, inet6("::1", 6031))                          # 0
A: listen(l, 0)                                         # 0
spawn B
B: socket(AF_INET6, SOCK_STREAM) -> s
B: connect(s, inet6("::1", 6031))                       # 0
A: accept4(l, 0) -> c
A: setsockopt(c, SOL_SOCKET, SO_RCVBUF, 3000)           # 0
B: send(s, "x" * 30000, MSG_DONTWAIT)                   # 30000
A: epoll_create1(0) -> e
## it finds no room, and is sent again later
B: send(s, "y" * 30000, MSG_DONTWAIT)                   # 30000
A: epoll_ctl(e, EPOLL_CTL_ADD, c, {EPOLLIN|EPOLLRDHUP|EPOLLET, 8}) # 0
A: epoll_wait(e, 8, 0)                                  # 1
A: epoll_wait(e, 8, -1)                                 # blocked
## later kernels let the FIN wait for a window
B: shutdown(s, SHUT_WR)                                 # 0
