## tcp-linger: close() waits for what is not read, as SO_LINGER asks for, and gives up when its time is over
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_SOCKET, SO_RCVBUF, 2000)                # 0
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 2)                                              # 0
A: fork() -> B
B: close(l)                                                  # 0
B: socket(AF_INET, SOCK_STREAM) -> s
B: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> c
B: setsockopt(s, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=30}) # 0
B: send(s, "all read", 0)                                    # 8
B: close(s)                                                  # 0
A: recv(c, 100, 0)                                           # 8
A: recv(c, 100, 0)                                           # 0
A: close(c)                                                  # 0
B: socket(AF_INET, SOCK_STREAM) -> s
B: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> c
B: setsockopt(s, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=1}) # 0
B: send(s, "x" * 20000, 0)                                   # 20000
B: close(s)                                                  # blocked
wait(5000)                                                   # B: _
A: close(c)                                                  # 0
B: socket(AF_INET, SOCK_STREAM) -> s
B: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> c
B: setsockopt(s, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=100}) # 0
B: send(s, "x" * 20000, 0)                                   # 20000
B: close(s)                                                  # blocked
A: recv(c, 100000, MSG_WAITALL)                              # 20000; B: _
A: recv(c, 100, 0)                                           # 0
## without it close() returns at once, and what was not sent still arrives, the end of the stream behind it
B: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK) -> s
B: connect(s, inet("127.0.0.1", 5000))                       # EINPROGRESS
A: accept(l, NULL, NULL) -> d
B: send(s, "x" * 20000, 0)                                   # 20000
B: close(s)                                                  # 0
A: recv(d, 100000, MSG_WAITALL)                              # 20000
A: recv(d, 100, 0)                                           # 0
