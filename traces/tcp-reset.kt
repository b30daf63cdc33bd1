## tcp-reset: connections that end badly, and what is left of them
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_REUSEADDR, 1)        # 0
A: bind(l, inet("127.0.0.1", 5000))                  # 0
A: listen(l, 2)                                      # 0
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))               # 0
A: accept(l, NULL, NULL) -> c
## closing with unread data resets (tcp_close())
A: send(s, "unread", 0)                              # 6
A: close(c)                                          # 0
A: getsockopt(s, SOL_SOCKET, SO_ERROR)               # 0 104
A: recv(s, 10, 0)                                    # 0 ""
A: send(s, "x", MSG_NOSIGNAL)                        # EPIPE
A: close(s)                                          # 0
## SO_LINGER of no time resets as well
A: socket(AF_INET, SOCK_STREAM) -> s2
A: connect(s2, inet("127.0.0.1", 5000))              # 0
A: accept(l, NULL, NULL) -> c2
A: setsockopt(s2, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0})    # 0
A: close(s2)                                         # 0
A: recv(c2, 10, 0)                                   # ECONNRESET
A: recv(c2, 10, 0)                                   # 0 ""
A: close(c2)                                         # 0
## a listener that goes takes those with it that nobody accepted
A: socket(AF_INET, SOCK_STREAM) -> s3
A: connect(s3, inet("127.0.0.1", 5000))              # 0
A: close(l)                                          # 0
A: recv(s3, 10, 0)                                   # ECONNRESET
A: close(s3)                                         # 0
## one side shuts down, then the other: the first one waits in TIME_WAIT
A: socket(AF_INET, SOCK_STREAM) -> l2
A: setsockopt(l2, SOL_SOCKET, SO_REUSEADDR, 1)       # 0
A: bind(l2, inet("127.0.0.1", 5001))                 # 0
A: listen(l2, 1)                                     # 0
A: socket(AF_INET, SOCK_STREAM) -> s4
A: connect(s4, inet("127.0.0.1", 5001))              # 0
A: accept(l2, NULL, NULL) -> c4
A: shutdown(c4, SHUT_WR)                             # 0
A: recv(s4, 10, 0)                                   # 0 ""
A: close(s4)                                         # 0
A: close(c4)                                         # 0
A: close(l2)                                         # 0
A: socket(AF_INET, SOCK_STREAM) -> l3
A: bind(l3, inet("127.0.0.1", 5001))                 # EADDRINUSE
A: setsockopt(l3, SOL_SOCKET, SO_REUSEADDR, 1)       # 0
A: bind(l3, inet("127.0.0.1", 5001))                 # 0
