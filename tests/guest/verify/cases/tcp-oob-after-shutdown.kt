## tcp-oob-after-shutdown: an urgent byte for one that has shut down both ways
## kernel: urg_data is set though nobody will read it (net/ipv4/tcp_input.c: tcp_urg(), tcp_rcv_state_process())
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 1)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: shutdown(c, SHUT_RDWR)                          # 0
A: send(s, "urgent", MSG_OOB)                      # 6
