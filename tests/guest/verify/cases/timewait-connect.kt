## timewait-connect: the same four numbers again, from a bound port, while the last connection is in TIME_WAIT
## kernel: 0, at once (net/ipv4/tcp_ipv4.c: tcp_twsk_unique(), twp is NULL for a bound port)
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(c, inet("127.0.0.1", 7000))                # 0
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: close(c)                                        # 0
A: close(s)                                        # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_REUSEADDR, 1)      # 0
A: bind(c, inet("127.0.0.1", 7000))                # 0
A: connect(c, inet("127.0.0.1", 5000))             # 0
