## unix-dgram: datagrams keep their edges, and a full queue makes the sender wait
A: socket(AF_UNIX, SOCK_DGRAM) -> r
A: bind(r, unix(@"inbox"))                           # 0
A: fork() -> B
B: close(r)                                          # 0
B: socket(AF_UNIX, SOCK_DGRAM) -> s
B: send(s, "lost", 0)                                # ENOTCONN
B: sendto(s, "one", 0, unix(@"inbox"))            # 3
B: connect(s, unix(@"inbox"))                        # 0
B: send(s, "", 0)                                    # 0
B: send(s, "three", 0)                               # 5
A: ioctl(r, FIONREAD)                                # 0 3
A: recvfrom(r, 2, MSG_TRUNC)                         # 3 "on"
A: recv(r, 100, 0)                                   # 0 ""
A: recv(r, 100, MSG_PEEK)                            # 5 "three"
A: recv(r, 100, 0)                                   # 5 "three"
A: recv(r, 100, MSG_DONTWAIT)                        # EAGAIN
## eleven fit (max_dgram_qlen is 10); the twelfth waits until one is read
repeat 11 {
  B: send(s, "x", MSG_DONTWAIT)                      # 1
}
B: send(s, "full", MSG_DONTWAIT)                     # EAGAIN
B: send(s, "full", 0)                                # blocked
A: recv(r, 100, 0)                                   # 1 "x"; B: 4
## whoever is connected elsewhere refuses strangers
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [x, y])
A: bind(x, unix(@"taken"))                           # 0
B: sendto(s, "no", 0, unix(@"taken"))             # EPERM
B: connect(s, unix(@"taken"))                        # EPERM
## a name that nobody has any more
A: close(r)                                          # 0
B: send(s, "gone", 0)                                # ECONNREFUSED
B: send(s, "gone", 0)                                # ENOTCONN
## a sequence of packets: connected, and still with edges
A: socketpair(AF_UNIX, SOCK_SEQPACKET, 0, [p, q])
A: send(p, "first", 0)                               # 5
A: send(p, "second", 0)                              # 6
A: recv(q, 3, 0)                                     # 3 "fir"
A: recv(q, 100, 0)                                   # 6 "second"
A: close(p)                                          # 0
A: recv(q, 100, 0)                                   # 0 ""
A: send(q, "x", MSG_NOSIGNAL)                        # EPIPE
