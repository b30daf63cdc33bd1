## tcp-held-gone: what is held back for more stays held back where the peer is gone; once it is sent, a reset answers
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 4)                                              # 0
A: pipe([r, w])                                              # 0
A: write(w, "x")                                             # 1
## MSG_MORE, then a call without it
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> c
A: close(s)                                                  # 0
A: send(c, "x", MSG_MORE)                                    # 1
A: ioctl(c, SIOCOUTQNSD)                                     # 0 1
A: send(c, "y", MSG_MORE)                                    # 1
A: send(c, "z", 0)                                           # 1
A: ioctl(c, SIOCOUTQNSD)                                     # 0 0
A: send(c, "z", MSG_NOSIGNAL)                                # EPIPE
## a pipe that says that more will come
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> d
A: close(s)                                                  # 0
A: splice(r, NULL, d, NULL, 1, SPLICE_F_MORE)                # 1
A: ioctl(d, SIOCOUTQNSD)                                     # 0 1
A: shutdown(d, SHUT_WR)                                      # 0
A: send(d, "z", MSG_NOSIGNAL)                                # ECONNRESET
## the cork, drawn
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> e
A: close(s)                                                  # 0
A: setsockopt(e, SOL_TCP, TCP_CORK, 1)                       # 0
A: send(e, "x", 0)                                           # 1
A: ioctl(e, SIOCOUTQNSD)                                     # 0 1
A: setsockopt(e, SOL_TCP, TCP_CORK, 0)                       # 0
A: send(e, "z", MSG_NOSIGNAL)                                # EPIPE
## an urgent byte does not wait
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> f
A: close(s)                                                  # 0
A: setsockopt(f, SOL_TCP, TCP_CORK, 1)                       # 0
A: send(f, "x", MSG_OOB)                                     # 1
A: send(f, "z", MSG_NOSIGNAL)                                # EPIPE
## nor does TCP_NODELAY, which pushes by itself
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> g
A: close(s)                                                  # 0
A: send(g, "x", MSG_MORE)                                    # 1
A: setsockopt(g, SOL_TCP, TCP_NODELAY, 1)                    # 0
A: send(g, "z", MSG_NOSIGNAL)                                # EPIPE
## over IPv6, and closed with it held back
A: socket(AF_INET6, SOCK_STREAM) -> m
A: bind(m, inet6("::1", 5000))                               # 0
A: listen(m, 4)                                              # 0
A: socket(AF_INET6, SOCK_STREAM) -> s
A: connect(s, inet6("::1", 5000))                            # 0
A: accept(m, NULL, NULL) -> i
A: close(s)                                                  # 0
A: send(i, "x" * 1000, MSG_MORE)                             # 1000
A: close(i)                                                  # 0
## more than the window takes, to a peer that is gone: the reset answers the first part
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> j
A: setsockopt(s, SOL_SOCKET, SO_RCVBUF, 20000)               # 0
A: send(j, "x" * 5000, 0) * 3                                # 5000
A: recv(s, 15000, MSG_WAITALL)                               # 15000
A: close(s)                                                  # 0
A: send(j, "x" * 70000, 0)                                   # 70000
A: send(j, "z", MSG_NOSIGNAL)                                # EPIPE
