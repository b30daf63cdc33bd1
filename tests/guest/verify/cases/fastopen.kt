## fastopen: data with the first segment, as the kernel is set up
## kernel: 5, connected (net/ipv4/tcp.c: tcp_sendmsg_fastopen())
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: sendto(c, "early", MSG_FASTOPEN, inet("127.0.0.1", 5000))   # 5
