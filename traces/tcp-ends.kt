## tcp-ends: Connections that end: simultaneous close, a connection to oneself, resets
sysctl("net/ipv4/ip_local_port_range", "40000 40001")
A: socket(AF_INET, SOCK_STREAM) -> s
A: bind(s, inet("127.0.0.1", 40000))                         # 0
A: connect(s, inet("127.0.0.1", 40000))                      # 0
A: send(s, "to myself", 0)                                   # 9
A: recv(s, 100, 0)                                           # 9
A: shutdown(s, SHUT_WR)                                      # 0
A: recv(s, 100, 0)                                           # 0
A: close(s)                                                  # 0
A: socket(AF_INET, SOCK_DGRAM) -> u1
A: sendto(u1, "x", 0, inet("127.0.0.1", 9))                  # 1
A: socket(AF_INET, SOCK_DGRAM) -> u2
A: sendto(u2, "x", 0, inet("127.0.0.1", 9))                  # 1
A: socket(AF_INET, SOCK_DGRAM) -> u3
A: sendto(u3, "x", 0, inet("127.0.0.1", 9))                  # EAGAIN
A: connect(u3, inet("127.0.0.1", 9))                         # EAGAIN
A: bind(u3, inet("127.0.0.1", 0))                            # EADDRINUSE
sysctl("net/ipv4/ip_local_port_range", "32768 60999")
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> d
## both sides have said all
A: shutdown(d, SHUT_WR)                                      # 0
B: shutdown(c, SHUT_WR)                                      # 0
A: recv(d, 1, 0)                                             # 0
B: recv(c, 1, 0)                                             # 0
A: close(d)                                                  # 0
B: close(c)                                                  # 0
## reset of one who waits
B: socket(AF_INET, SOCK_STREAM) -> c2
B: connect(c2, inet("127.0.0.1", 5000))                      # 0
A: accept(l, NULL, NULL) -> d2
B: recv(c2, 10, 0)                                           # blocked
A: setsockopt(d2, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}) # 0
A: close(d2)                                                 # 0; B: ECONNRESET
B: connect(c2, inet("127.0.0.1", 5000))                      # EISCONN
B: close(c2)                                                 # 0
B: socket(AF_INET, SOCK_STREAM) -> c2
B: connect(c2, inet("127.0.0.1", 5000))                      # 0
A: accept(l, NULL, NULL) -> d3
A: send(d3, "last", 0)                                       # 4
A: exit(0)
B: recv(c2, 10, 0)                                           # 4
B: recv(c2, 10, 0)                                           # 0
B: send(c2, "x", MSG_NOSIGNAL)                               # 1
B: send(c2, "x", MSG_NOSIGNAL)                               # EPIPE
B: getsockopt(c2, SOL_SOCKET, SO_ERROR)                      # 0
B: shutdown(c2, SHUT_RDWR)                                   # ENOTCONN
B: recv(c2, 10, 0)                                           # 0
sysctl("net/core/somaxconn", "1")
B: listen(l, 100)                                            # 0
B: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK) -> f1
B: connect(f1, inet("127.0.0.1", 5000))                      # EINPROGRESS
B: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK) -> f2
B: connect(f2, inet("127.0.0.1", 5000))                      # EINPROGRESS
B: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK) -> f3
B: connect(f3, inet("127.0.0.1", 5000))                      # EINPROGRESS
B: poll([{f1, POLLOUT}, {f2, POLLOUT}, {f3, POLLOUT}], 0)    # 2
B: getpeername(f3)                                           # ENOTCONN
B: send(f3, "x", 0)                                          # EAGAIN
B: recv(f3, 1, 0)                                            # EAGAIN
B: close(f3)                                                 # 0
