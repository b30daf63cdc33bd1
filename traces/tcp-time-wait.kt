## tcp-time-wait: what is left of a connection: who may bind to its port, and who may connect with the same four numbers
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
## the client closes first, from a bound port
A: socket(AF_INET, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(c, inet("127.0.0.1", 7000))                # 0
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: close(c)                                        # 0
A: close(s)                                        # 0
A: socket(AF_INET, SOCK_STREAM) -> n
A: bind(n, inet("127.0.0.1", 7000))                # EADDRINUSE
A: setsockopt(n, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(n, inet("127.0.0.1", 7000))                # 0
A: connect(n, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: send(n, "again", 0)                             # 5
A: recv(s, 10, 0)                                  # 5
## the server closes first: its TIME_WAIT takes a later SYN
A: close(s)                                        # 0
A: close(n)                                        # 0
A: socket(AF_INET, SOCK_STREAM) -> n
A: setsockopt(n, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(n, inet("127.0.0.1", 7000))                # 0
A: connect(n, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: send(s, "again", 0)                             # 5
A: recv(n, 10, 0)                                  # 5
A: close(n)                                        # 0
A: close(s)                                        # 0
## without an address of its own, and to another port: other numbers
A: socket(AF_INET, SOCK_STREAM) -> w
A: setsockopt(w, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(w, inet("0.0.0.0", 7000))                  # 0
A: connect(w, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: close(w)                                        # 0
A: close(s)                                        # 0
## a port that nobody bound: one second must have begun since (net.ipv4.tcp_tw_reuse is 2)
sysctl("net/ipv4/ip_local_port_range", "40000 40001")
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: close(c)                                        # 0
A: close(s)                                        # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: close(c)                                        # 0
A: close(s)                                        # 0
wait(2500)
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: close(c)                                        # 0
A: close(s)                                        # 0
sysctl("net/ipv4/tcp_tw_reuse", "0")
wait(2500)
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # EADDRNOTAVAIL
A: close(c)                                        # 0
sysctl("net/ipv4/ip_local_port_range", "32768 60999")
## IPv6
A: socket(AF_INET6, SOCK_STREAM) -> l6
A: bind(l6, inet6("::1", 5006))                    # 0
A: listen(l6, 5)                                   # 0
A: socket(AF_INET6, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(c, inet6("::1", 7006))                     # 0
A: connect(c, inet6("::1", 5006))                  # 0
A: accept(l6, NULL, NULL) -> s
A: close(c)                                        # 0
A: close(s)                                        # 0
A: socket(AF_INET6, SOCK_STREAM) -> c
A: bind(c, inet6("::1", 7006))                     # EADDRINUSE
A: setsockopt(c, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(c, inet6("::1", 7006))                     # 0
A: connect(c, inet6("::1", 5006))                  # 0
A: accept(l6, NULL, NULL) -> s
## who listens may be bound again at once, with SO_REUSEADDR on both
A: close(s)                                        # 0
A: close(c)                                        # 0
A: close(l6)                                       # 0
A: socket(AF_INET6, SOCK_STREAM) -> l6
A: bind(l6, inet6("::1", 5006))                    # EADDRINUSE
A: setsockopt(l6, SOL_SOCKET, SO_REUSEADDR, 1)     # 0
A: bind(l6, inet6("::1", 5006))                    # EADDRINUSE
