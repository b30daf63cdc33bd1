## tcp-poll-full: poll(POLLOUT) on a TCP socket whose send buffer is full
## kernel: 0, no POLLOUT (net/ipv4/tcp.c: tcp_poll(), __sk_stream_is_writeable())
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)      # 0
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: send(c, "x" * 400000, MSG_DONTWAIT)             # _
A: poll([{c, POLLOUT}], 0)                         # 0 [0]
