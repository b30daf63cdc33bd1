## signal-stop-sockets: who sleeps in a socket goes on after a stop; with a timeout of its own it does not
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: fork() -> B
B: recv(b, 10, 0)                                  # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: send(a, "hi", 0)                                # 2
kill(B, SIGCONT)                                   # B: 2 "hi"; B: continued
B: setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=100})# 0
B: recv(b, 10, 0)                                  # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: EINTR; B: continued
A: socket(AF_UNIX, SOCK_STREAM, 0) -> l
A: bind(l, unix(@"stop"))                          # 0
A: listen(l, 0)                                    # 0
B: socket(AF_UNIX, SOCK_STREAM, 0) -> c
B: connect(c, unix(@"stop"))                       # 0
B: socket(AF_UNIX, SOCK_STREAM, 0) -> c2
B: connect(c2, unix(@"stop"))                      # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: accept(l)                                       # _
kill(B, SIGCONT)                                   # B: 0
A: accept(l)                                       # _
A: fork() -> C
C: accept(l)                                       # blocked
kill(C, SIGSTOP)                                   # C: stopped SIGSTOP
B: socket(AF_UNIX, SOCK_STREAM, 0) -> c3
B: connect(c3, unix(@"stop"))                      # 0
kill(C, SIGCONT)                                   # C: _; C: continued
A: socket(AF_INET, SOCK_STREAM, 0) -> t
A: bind(t, inet("127.0.0.1", 6001))                # 0
A: listen(t, 5)                                    # 0
A: fork() -> D
D: accept(t)                                       # blocked
kill(D, SIGSTOP)                                   # D: stopped SIGSTOP
B: socket(AF_INET, SOCK_STREAM, 0) -> k
B: connect(k, inet("127.0.0.1", 6001))             # 0
kill(D, SIGCONT)                                   # D: _; D: continued
B: recv(k, 10, 0)                                  # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
kill(B, SIGTERM)                                   # B: SIGTERM; B: EINTR
A: socket(AF_INET, SOCK_DGRAM, 0) -> u
A: bind(u, inet("127.0.0.1", 6002))                # 0
A: fork() -> E
E: recvfrom(u, 10, 0)                              # blocked
kill(E, SIGSTOP)                                   # E: stopped SIGSTOP
A: sendto(u, "dgram", 0, inet("127.0.0.1", 6002))  # 5
kill(E, SIGCONT)                                   # E: 5; E: continued
