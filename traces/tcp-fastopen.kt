## tcp-fastopen: MSG_FASTOPEN and TCP_FASTOPEN_CONNECT where nobody gives cookies: a connection first, the bytes behind it
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_TCP, TCP_FASTOPEN, 5)         # 0
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: sendto(c, "x", MSG_FASTOPEN)                    # EINVAL
A: sendto(c, "x", MSG_FASTOPEN, {sa_family=AF_UNSPEC, sa_data=""})   # EOPNOTSUPP
A: sendto(c, "early", MSG_FASTOPEN, inet("127.0.0.1", 5000))   # 5
A: accept(l, NULL, NULL) -> s
A: recv(s, 10, 0)                                  # 5 "early"
A: sendto(c, "again", MSG_FASTOPEN, inet("127.0.0.1", 5000))   # EISCONN
A: send(c, "later", 0)                             # 5
A: recv(s, 10, 0)                                  # 5 "later"
A: sendto(l, "x", MSG_FASTOPEN|MSG_NOSIGNAL, inet("127.0.0.1", 5000))   # EISCONN
## without waiting: there is no cookie, so nothing was sent
A: socket(AF_INET, SOCK_STREAM) -> n
A: sendto(n, "early", MSG_FASTOPEN|MSG_DONTWAIT, inet("127.0.0.1", 5000))   # EINPROGRESS
A: poll([{n, POLLOUT}], 0)                         # 1 [POLLOUT]
A: sendto(n, "early", MSG_FASTOPEN|MSG_DONTWAIT, inet("127.0.0.1", 5000))   # _
A: send(n, "late", 0)                              # 4
## nobody there
A: socket(AF_INET, SOCK_STREAM) -> r
A: sendto(r, "early", MSG_FASTOPEN, inet("127.0.0.1", 5999))   # ECONNREFUSED
A: sendmsg(r, {msg_name=inet("127.0.0.1", 5000), msg_iov=["e", "arly"]}, MSG_FASTOPEN)   # 5
## the option: connect() does it all, and leaves no second one
A: socket(AF_INET, SOCK_STREAM) -> o
A: setsockopt(o, SOL_TCP, TCP_FASTOPEN_CONNECT, 1) # 0
A: connect(o, inet("127.0.0.1", 5000))             # 0
A: sendto(o, "x", MSG_FASTOPEN, inet("127.0.0.1", 5000))   # EALREADY
A: send(o, "x", 0)                                 # 1
## IPv6
A: socket(AF_INET6, SOCK_STREAM) -> l6
A: bind(l6, inet6("::1", 5006))                    # 0
A: listen(l6, 5)                                   # 0
A: socket(AF_INET6, SOCK_STREAM) -> c6
A: sendto(c6, "early", MSG_FASTOPEN, inet6("::1", 5006))   # 5
A: accept(l6, NULL, NULL) -> s6
A: recv(s6, 10, 0)                                 # 5 "early"
## other sockets do not know the flag
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: send(a, "x", MSG_FASTOPEN)                      # 1
## switched off
sysctl("net/ipv4/tcp_fastopen", "0")
A: socket(AF_INET, SOCK_STREAM) -> c
A: sendto(c, "early", MSG_FASTOPEN, inet("127.0.0.1", 5000))   # EOPNOTSUPP
A: setsockopt(c, SOL_TCP, TCP_FASTOPEN_CONNECT, 1) # EOPNOTSUPP
