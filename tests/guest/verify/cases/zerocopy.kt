## zerocopy: MSG_ZEROCOPY leaves a notification in the error queue
## kernel: sk_error_queue has it (net/core/skbuff.c: msg_zerocopy_callback())
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, 1)       # 0
A: send(c, "zero" * 1000, MSG_ZEROCOPY)            # 4000
