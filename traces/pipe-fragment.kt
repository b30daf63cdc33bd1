## pipe-fragment: a task's page fragment holds what it spliced from AF_UNIX and what it sent by TCP: one page in two pipes
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
A: pipe([r, w])
A: pipe([q, p])
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
A: fork() -> B
## bytes in the head of a packet are copied to the fragment of who splices
A: send(a, "from AF_UNIX", 0)                                # 12
A: splice(b, NULL, w, NULL, 100, 0)                          # 12
A: send(c, "by TCP, behind it", 0)                           # 17
B: splice(s, NULL, p, NULL, 100, 0)                          # 17
A: send(c, "and more", 0)                                    # 8
A: splice(s, NULL, w, NULL, 100, 0)                          # 8
A: read(r, 100)                                              # 20 "from AF_UNIXand more"
A: send(c, "once more", 0)                                   # 9
A: splice(s, NULL, w, NULL, 4, 0)                            # 4
A: tee(q, w, 100, 0)                                         # 17
A: splice(s, NULL, p, NULL, 100, 0)                          # 5
A: read(q, 100)                                              # 22
A: read(r, 100)                                              # 21
## another task has another fragment, and gives it to TCP in the end
B: send(a, "of B, by AF_UNIX", 0)                            # 16
B: splice(b, NULL, w, NULL, 100, 0)                          # 16
B: send(c, "of B, by TCP", 0)                                # 12
A: send(c, "of A", 0)                                        # 4
A: splice(s, NULL, p, NULL, 100, 0)                          # 16
B: exit(0)                                                   # B: exited 0
A: splice(r, NULL, c, NULL, 100, 0)                          # 16
A: splice(s, NULL, w, NULL, 100, 0)                          # 16
A: read(q, 100)                                              # 16
A: read(r, 100)                                              # 16 "of B, by AF_UNIX"
