## tcp-held-fin: a FIN that goes with the last bytes is one segment: who listens hears of both at once
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 4)                                              # 0
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> c
A: fork() -> B
A: close(s)                                                  # 0
A: fcntl(c, F_SETOWN, A)                                     # 0
A: fcntl(c, F_SETSIG, SIGRTMIN)                              # 0
A: fcntl(c, F_SETFL, O_ASYNC|O_NONBLOCK)                     # 0
B: send(s, "x", 0)                                           # 1; A: SIGRTMIN
B: send(s, "held", MSG_MORE)                                 # 4
## two signals: of the FIN, and of what there is to read
B: shutdown(s, SHUT_WR)                                      # 0; A: SIGRTMIN; A: SIGRTMIN
A: recv(c, 100, 0)                                           # 5 "xheld"
A: recv(c, 100, 0)                                           # 0
