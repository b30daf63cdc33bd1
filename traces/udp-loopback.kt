## udp-loopback: datagrams over 127.0.0.1, corked ones, and a port that nobody has
A: socket(AF_INET, SOCK_DGRAM) -> r
A: bind(r, inet("127.0.0.1", 6000))                  # 0
A: socket(AF_INET, SOCK_DGRAM) -> s
A: send(s, "where", 0)                               # EDESTADDRREQ
A: sendto(s, "one", 0, inet("127.0.0.1", 6000))   # 3
A: connect(s, inet("127.0.0.1", 6000))               # 0
A: send(s, "", 0)                                    # 0
A: send(s, "three", 0)                               # 5
A: recv(r, 2, MSG_TRUNC)                             # 3 "on"
A: recv(r, 100, 0)                                   # 0 ""
A: recv(r, 100, MSG_PEEK)                            # 5 "three"
A: recv(r, 100, 0)                                   # 5 "three"
A: send(s, "x" * 70000, 0)                           # EMSGSIZE
## corked: three pieces, one datagram
A: setsockopt(s, SOL_UDP, 1, 1)                      # 0
A: send(s, "a", 0)                                   # 1
A: send(s, "bc", 0)                                  # 2
A: recv(r, 100, MSG_DONTWAIT)                        # EAGAIN
A: setsockopt(s, SOL_UDP, 1, 0)                      # 0
A: recv(r, 100, 0)                                   # 3 "abc"
A: send(s, "d", MSG_MORE)                            # 1
A: send(s, "e", 0)                                   # 1
A: recv(r, 100, 0)                                   # 2 "de"
## a reader waits
A: fork() -> B
B: recv(r, 100, 0)                                   # blocked
A: send(s, "wake", 0)                                # 4; B: 4 "wake"
## nobody is there: the answer by ICMP is told at the next call
A: close(r)                                          # 0
B: close(r)                                          # 0
A: send(s, "lost", 0)                                # 4
A: send(s, "lost", 0)                                # ECONNREFUSED
A: connect(s, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"})  # 0
A: send(s, "x", 0)                                   # EDESTADDRREQ
A: getsockopt(s, SOL_SOCKET, SO_ERROR)               # 0 0
