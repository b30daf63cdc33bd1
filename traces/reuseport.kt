## reuseport: sockets that share an address by SO_REUSEPORT; a hash with a secret picks who takes a packet
A: socket(AF_INET, SOCK_DGRAM) -> a
A: setsockopt(a, SOL_SOCKET, SO_REUSEPORT, 1)        # 0
A: bind(a, inet("127.0.0.1", 6000))                  # 0
B: socket(AF_INET, SOCK_DGRAM) -> b
B: bind(b, inet("127.0.0.1", 6000))                  # EADDRINUSE
B: setsockopt(b, SOL_SOCKET, SO_REUSEPORT, 1)        # 0
B: bind(b, inet("127.0.0.1", 6000))                  # 0
C: socket(AF_INET, SOCK_DGRAM) -> c
C: bind(c, inet("127.0.0.1", 6001))                  # 0
C: sendto(c, "one", 0, inet("127.0.0.1", 6000))      # 3
## a flow stays where it is
C: sendto(c, "two", 0, inet("127.0.0.1", 6000))      # 3
C: socket(AF_INET, SOCK_DGRAM) -> d
C: sendto(d, "three", 0, inet("127.0.0.1", 6000))    # 5
C: socket(AF_INET, SOCK_DGRAM) -> e
C: sendto(e, "four", 0, inet("127.0.0.1", 6000))     # 4
## who is connected gets nothing from others, and its own peer no longer goes by the hash
A: connect(a, inet("127.0.0.1", 6001))               # 0
C: sendto(c, "five", 0, inet("127.0.0.1", 6000))     # 4
C: sendto(d, "six", 0, inet("127.0.0.1", 6000))      # 3
C: sendto(e, "seven", 0, inet("127.0.0.1", 6000))    # 5
B: close(b)                                          # 0
C: sendto(d, "eight", 0, inet("127.0.0.1", 6000))    # 5
A: close(a)                                          # 0
## readers wait at both
A: socket(AF_INET6, SOCK_DGRAM) -> a
A: setsockopt(a, SOL_SOCKET, SO_REUSEPORT, 1)        # 0
A: bind(a, inet6("::", 6000))                        # 0
A: fork() -> X
X: recvfrom(a, 10, 0)                                # blocked
B: socket(AF_INET6, SOCK_DGRAM) -> b
B: setsockopt(b, SOL_SOCKET, SO_REUSEPORT, 1)        # 0
B: bind(b, inet6("::", 6000))                        # 0
B: fork() -> Y
Y: recvfrom(b, 10, 0)                                # blocked
C: sendto(c, "nine", 0, inet("127.0.0.1", 6000))     # 4
C: socket(AF_INET6, SOCK_DGRAM) -> f
C: sendto(f, "ten", 0, inet6("::1", 6000))           # 3
kill(X, SIGKILL)   # X: killed SIGKILL
kill(Y, SIGKILL)   # Y: killed SIGKILL
## listeners share the connections; what has waited with one goes when that stops
A: socket(AF_INET6, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_REUSEPORT, 1)        # 0
A: bind(l, inet6("::", 6000))                        # 0
A: listen(l, 8)                                      # 0
B: socket(AF_INET6, SOCK_STREAM) -> m
B: setsockopt(m, SOL_SOCKET, SO_REUSEPORT, 1)        # 0
B: bind(m, inet6("::", 6000))                        # 0
B: listen(m, 8)                                      # 0
C: socket(AF_INET6, SOCK_STREAM) -> s
C: connect(s, inet6("::1", 6000))                    # 0
C: socket(AF_INET, SOCK_STREAM) -> t
C: connect(t, inet("127.0.0.1", 6000))               # 0
C: socket(AF_INET6, SOCK_STREAM) -> u
C: connect(u, inet6("::1", 6000))                    # 0
A: shutdown(l, SHUT_RD)                              # 0
C: socket(AF_INET6, SOCK_STREAM) -> v
C: connect(v, inet6("::1", 6000))                    # 0
A: listen(l, 8)                                      # 0
B: close(m)                                          # 0
C: socket(AF_INET6, SOCK_STREAM) -> w
C: connect(w, inet6("::1", 6000))                    # 0
A: close(l)                                          # 0
