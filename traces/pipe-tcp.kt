## pipe-tcp: pages from pipes into TCP and UDP sockets and back
A: socket(AF_INET, SOCK_STREAM, 0) -> l
A: bind(l, inet("127.0.0.1", 5000))                   # 0
A: listen(l, 5)                                       # 0
A: socket(AF_INET, SOCK_STREAM, 0) -> c
A: pipe([r, w])                                       # 0
A: pipe([r2, w2])                                     # 0
A: write(w, "early")                                  # 5
A: splice(r, NULL, c, NULL, 10, 0)                    # EPIPE; SIGPIPE
A: splice(c, NULL, w2, NULL, 10, 0)                   # ENOTCONN
A: splice(l, NULL, w2, NULL, 10, 0)                   # ENOTCONN
A: connect(c, inet("127.0.0.1", 5000))                # 0
A: accept4(l, NULL, NULL, 0) -> s
## the very pages go through
A: splice(r, NULL, c, NULL, 10, 0)                    # 5
A: splice(s, NULL, w2, NULL, 100, 0)                  # 5
A: write(c, "hello from a copy")                      # 17
A: splice(s, NULL, w2, NULL, 5, 0)                    # 5
A: splice(s, NULL, w2, NULL, 500, 0)                  # 12
A: read(r2, 300)                                      # 22 "earlyhello from a copy"
## so what is written to a file while its pages are on their way is received
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: write(f, "0123456789" * 1000)                      # 10000
A: sendfile(c, f, 0, 10000)                           # 10000 10000
A: pwrite64(f, "##", 2, 0)                            # 2
A: splice(s, NULL, w2, NULL, 5000, 0)                 # 5000
A: recvfrom(s, 100, 0, 0)                             # 100
A: splice(s, NULL, w2, NULL, 65536, 0)                # 4900
A: read(r2, 65536)                                    # 9900 "##23"...
## said to be followed by more, it waits; at the end of a file it turns out that there is none
A: write(w, "tee me")                                 # 6
A: tee(r, w2, 6, 0)                                   # 6
A: splice(r, NULL, c, NULL, 3, SPLICE_F_MORE)         # 3
A: splice(r, NULL, c, NULL, 3, 0)                     # 3
A: recvfrom(s, 100, 0, 0)                             # 6 "tee me"
A: read(r2, 100)                                      # 6
A: sendfile(c, f, 9990, 100)                          # 10 10000
A: recvfrom(s, 100, 0, 0)                             # 10
## several buffers, and parts of them
A: write(w, "b" * 3000)                               # 3000
A: write(w, "c" * 3000)                               # 3000
A: splice(r, NULL, c, NULL, 5000, 0)                  # 5000
A: splice(s, NULL, w2, NULL, 4000, 0)                 # 4000
A: splice(r2, NULL, c, NULL, 2000, 0)                 # 2000
A: splice(s, NULL, w2, NULL, 40000, 0)                # 3000
A: splice(s, NULL, w2, NULL, 40000, SPLICE_F_NONBLOCK) # blocked
kill(A, SIGUSR1)                                      # A: EINTR; A: SIGUSR1
A: read(r2, 65536)                                    # 5000
A: fork() -> B
B: splice(s, NULL, w2, NULL, 100, 0)                  # blocked
A: write(w2, "x")                                     # blocked
kill(A, SIGUSR1)
kill(B, SIGUSR2)                                      # B: EINTR; B: SIGUSR2; A: 1; A: SIGUSR1
A: read(r2, 10)                                       # 1 "x"
## the end
A: splice(r, NULL, c, NULL, 500, SPLICE_F_MORE)       # 500
A: shutdown(c, SHUT_WR)                               # 0
A: splice(s, NULL, w2, NULL, 1000, 0)                 # 500
A: splice(s, NULL, w2, NULL, 1000, 0)                 # 0
A: splice(r, NULL, c, NULL, 3, 0)                     # EPIPE; SIGPIPE
A: splice(r, NULL, s, NULL, 4, 0)                     # 4
A: splice(c, NULL, w2, NULL, 3, 0)                    # 3
## UDP copies; one splice() is one packet
A: socket(AF_INET, SOCK_DGRAM, 0) -> u
A: bind(u, inet("127.0.0.1", 6000))                   # 0
A: socket(AF_INET, SOCK_DGRAM, 0) -> v
A: splice(r, NULL, v, NULL, 10, 0)                    # EDESTADDRREQ
A: connect(v, inet("127.0.0.1", 6000))                # 0
A: read(r2, 65536)                                    # 503
A: write(w2, "a" * 4096)                              # 4096
A: write(w2, "b" * 100)                               # 100
A: splice(r2, NULL, v, NULL, 10000, 0)                # 4196
A: splice(u, NULL, w2, NULL, 65536, 0)                # 4196
A: splice(r2, NULL, v, NULL, 50, SPLICE_F_MORE)       # 50
A: splice(r2, NULL, v, NULL, 50, 0)                   # 50
A: recvfrom(u, 1000, 0, 0)                            # 100
A: sendfile(v, f, 9990, 100)                          # 10 10000
A: recvfrom(u, 1000, 0, 0)                            # 10
