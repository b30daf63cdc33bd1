## tcp-fin-doubt: a FIN behind more than there was surely room for is acknowledged at once or later, and nobody can say which afterwards
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> s
B: write(c, "q" * 70000)                                     # 70000
B: shutdown(c, SHUT_WR)                                      # 0
B: read(c, 10)                                               # blocked
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 4096
A: read(s, 4096)                                             # 368
A: read(s, 4096)                                             # 0
A: write(s, "done")                                          # 4
A: close(s)                                                  # 0
