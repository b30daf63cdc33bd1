## tcp-reset-large: more than one segment towards who has shut down both ways: the first is answered with a reset, and no other goes
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
B: shutdown(c, SHUT_RDWR)                                    # 0
A: send(s, "q" * 120000, MSG_DONTWAIT)                       # 120000
A: send(s, "q", 0)                                           # EPIPE
B: recv(c, 10, 0)                                            # ECONNRESET
## the same over IPv6
A: socket(AF_INET6, SOCK_STREAM) -> l6
A: bind(l6, inet6("::1", 5001))                              # 0
A: listen(l6, 5)                                             # 0
B: socket(AF_INET6, SOCK_STREAM) -> c6
B: connect(c6, inet6("::1", 5001))                           # 0
A: accept(l6, NULL, NULL) -> s6
B: shutdown(c6, SHUT_RDWR)                                   # 0
A: send(s6, "q" * 120000, MSG_DONTWAIT)                      # 120000
A: close(s6)                                                 # 0
