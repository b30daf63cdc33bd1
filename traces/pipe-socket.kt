## pipe-socket: pages from pipes into AF_UNIX sockets and back, and who waits for a pipe that a sleeper holds
A: pipe([r, w])                                       # 0
A: pipe([r2, w2])                                     # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])        # 0
## a stream takes the pages themselves: what changes in a file changes on its way
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: write(f, "0123456789" * 500)                       # 5000
A: splice(f, 0, w, NULL, 5000, 0)                     # 5000 5000
A: splice(r, NULL, s, NULL, 5000, SPLICE_F_MORE)      # 5000
A: pwrite64(f, "##", 2, 0)                            # 2
A: recvfrom(t, 4, 0, 0)                               # 4 "##23"
A: sendfile(s, f, 4000, 3000)                         # 1000 5000
A: recvfrom(t, 6000, MSG_PEEK, 0)                     # 5996
## the next pages go into the last buffer that was not read
A: write(w, "tee me")                                 # 6
A: tee(r, w2, 6, 0)                                   # 6
A: splice(r, NULL, s, NULL, 3, 0)                     # 3
A: splice(r, NULL, s, NULL, 100, 0)                   # 3
A: recvfrom(t, 6000, 0, 0)                            # 6000
A: read(r2, 6)                                        # 6 "tee me"
A: recvfrom(t, 100, 0, 0)                             # 2 "me"
## out of a stream: its pages, or copies in a page that the process keeps for such
A: write(s, "from socket")                            # 11
A: splice(t, NULL, w2, NULL, 4, 0)                    # 4
A: splice(t, NULL, w2, NULL, 100, 0)                  # 7
A: write(w2, "own")                                   # 3
A: write(s, "z" * 20000)                              # 20000
A: splice(t, NULL, w2, NULL, 10000, 0)                # 10000
A: read(r2, 5000)                                     # 5000 "from socketownzzz"...
A: splice(t, NULL, w2, NULL, 65536, SPLICE_F_NONBLOCK) # 10000
A: splice(t, NULL, w2, NULL, 1, SPLICE_F_NONBLOCK)    # EAGAIN
A: read(r2, 65536)                                    # 15014
## packets: one buffer is one packet, and one packet is copied into pages of the pipe's own
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [d, e])         # 0
A: write(w, "one")                                    # 3
A: pipe2([pr, pw], O_DIRECT)                          # 0
A: write(pw, "packet1")                               # 7
A: write(pw, "packet2")                               # 7
A: splice(pr, NULL, d, NULL, 100, 0)                  # 14
A: splice(r, NULL, d, NULL, 2, 0)                     # 2
A: splice(e, NULL, w2, NULL, 3, 0)                    # 3
A: fcntl(e, F_SETFL, O_NONBLOCK)                      # 0
A: splice(e, NULL, w2, NULL, 65536, 0)                # 2 if splice_to_socket else 7
A: splice(e, NULL, w2, NULL, 65536, 0)                # EAGAIN if splice_to_socket else 2
A: read(r2, 100)                                      # 5 "pacon" if splice_to_socket else 12 "pacpacket2on"
## what cannot be
A: splice(s, 3, w, NULL, 10, 0)                       # EINVAL
A: splice(r, NULL, s, 3, 10, 0)                       # EINVAL
A: splice(s, NULL, t, NULL, 10, 0)                    # EINVAL
A: tee(r, s, 10, 0)                                   # EINVAL
A: sendfile(s, t, NULL, 10)                           # EINVAL
A: socket(AF_UNIX, SOCK_STREAM, 0) -> u
A: splice(r, NULL, u, NULL, 10, 0)                    # ENOTCONN
A: splice(u, NULL, w, NULL, 10, 0)                    # EINVAL
## one who sleeps in a socket holds the pipe, and no signal reaches those who wait for it
A: fork() -> B
A: fork() -> C
B: splice(t, NULL, w2, NULL, 100, 0)                  # blocked
C: write(w2, "c")                                     # blocked
kill(C, SIGUSR1)
A: write(s, "at last")                                # 7; B: 7; C: 1; C: SIGUSR1
A: read(r2, 100)                                      # 8 "at lastc"
A: setsockopt(s, SOL_SOCKET, SO_SNDBUF, 2048)         # 0
A: write(w, "x" * 65000)                              # 65000
B: splice(r, NULL, s, NULL, 65536, 0)                 # 65001
A: write(w, "1" * 4096)                               # 4096
A: write(w, "2" * 4096)                               # 4096
A: write(w, "3" * 4096)                               # 4096
## one page more fits into the packet, a packet more does not fit into the send buffer
B: splice(r, NULL, s, NULL, 10000, 0)                 # blocked
A: fork() -> D
C: ioctl(r, FIONREAD)                                 # blocked
D: fcntl(w, F_SETPIPE_SZ, 4096)                       # blocked
A: open("/proc/self/fd/0", O_RDONLY|O_NONBLOCK) -> r3 # blocked
kill(B, SIGUSR1)                                      # B: EINTR if splice_to_socket else 4096; C: 0; D: EBUSY; A: _; B: SIGUSR1
## who exits, and who is killed, waits as well where it has to close the pipe
B: splice(r, NULL, s, NULL, 10000, 0)                 # blocked
A: close(r3)                                          # blocked
D: recvfrom(t, 70000, 0, 0)                           # 65001 if splice_to_socket else 69097; B: 10000 if splice_to_socket else 8192; A: 0
