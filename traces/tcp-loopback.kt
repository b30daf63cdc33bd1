## tcp-loopback: TCP over 127.0.0.1: listen, connect, accept, send, receive, shut down
A: socket(AF_INET, SOCK_STREAM) -> l
A: fork() -> B
B: close(l)                                 # 0
B: socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) -> s
B: connect(s, inet("127.0.0.1", 5000))      # ECONNREFUSED
A: bind(l, inet("127.0.0.1", 5000))         # 0
A: getsockname(l)                           # 0 inet("127.0.0.1", 5000) 16
A: listen(l, 5)                             # 0
A: accept(l, NULL, NULL) -> c               # blocked
B: connect(s, inet("127.0.0.1", 5000))      # 0; A: _
B: connect(s, inet("127.0.0.1", 5000))      # EISCONN
B: getpeername(s)                           # 0 inet("127.0.0.1", 5000) 16
A: getsockname(c)                           # 0 inet("127.0.0.1", 5000) 16
B: send(s, "request", 0)                    # 7
A: recv(c, 100, 0)                          # 7 "request"
A: recv(c, 100, 0)                          # blocked
B: write(s, "more")                         # 4; A: 4 "more"
A: send(c, "re", 0)                         # 2
B: recv(s, 5, MSG_PEEK)                     # 2 "re"
B: recv(s, 5, MSG_WAITALL)                  # blocked
A: send(c, "ply", 0)                        # 3; B: 5 "reply"
B: recv(s, 5, MSG_DONTWAIT)                 # EAGAIN
## half closed: B has nothing more to say, A has
B: shutdown(s, SHUT_WR)                     # 0
A: recv(c, 100, 0)                          # 0 ""
B: send(s, "x", MSG_NOSIGNAL)               # EPIPE
A: send(c, "goodbye", 0)                    # 7
A: close(c)                                 # 0
B: recv(s, 100, 0)                          # 7 "goodbye"
B: recv(s, 100, 0)                          # 0 ""
B: close(s)                                 # 0
A: close(l)                                 # 0
