## tcp-clock-set: TIME_WAIT runs by the kernel's own clock, whatever the time of day is set to
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 4)                                              # 0
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> c
A: socket(AF_INET, SOCK_STREAM) -> t
A: connect(t, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> d
A: close(c)                                                  # 0
A: close(d)                                                  # 0
A: close(l)                                                  # 0
## an hour later by the clock, not by the kernel: FIN_WAIT2 waits, and answers a FIN, or with a reset more than that
A: clock_settime(CLOCK_REALTIME, {1767230000, 0})            # 0
A: clock_settime(CLOCK_REALTIME, {1767233600, 0})            # 0
A: shutdown(s, SHUT_RDWR)                                    # 0
A: recv(s, 10, MSG_DONTWAIT)                                 # 0
A: getsockopt(s, SOL_SOCKET, SO_ERROR)                       # 0 0
A: socket(AF_INET, SOCK_STREAM) -> n
A: bind(n, inet("127.0.0.1", 5000))                          # EADDRINUSE
A: clock_settime(CLOCK_REALTIME, {1767230000, 0})            # 0
A: bind(n, inet("127.0.0.1", 5000))                          # EADDRINUSE
A: send(t, "x", 0)                                           # 1
A: send(t, "x", MSG_NOSIGNAL)                                # EPIPE
