## udp-edges: ports shared, broadcasts, empty and long datagrams, full buffers, peeking on, corks that are closed
A: socket(AF_INET, SOCK_DGRAM) -> a
A: socket(AF_INET, SOCK_DGRAM) -> b
A: bind(a, inet("127.0.0.1", 5000))                          # 0
A: bind(b, inet("127.0.0.1", 5000))                          # EADDRINUSE
A: setsockopt(a, SOL_SOCKET, SO_REUSEPORT, 1)                # 0
A: setsockopt(b, SOL_SOCKET, SO_REUSEPORT, 1)                # 0
A: bind(b, inet("127.0.0.1", 5000))                          # 0
A: socket(AF_INET, SOCK_DGRAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(c, inet("0.0.0.0", 5000))                            # EADDRINUSE
A: bind(c, inet("0.0.0.0", 5001))                            # 0
A: socket(AF_INET, SOCK_DGRAM) -> d
A: setsockopt(d, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(d, inet("127.0.0.1", 5001))                          # 0
A: sendto(a, "who", 0, inet("127.0.0.1", 5001))              # 3
A: recv(c, 10, MSG_DONTWAIT)                                 # EAGAIN
A: recv(d, 10, MSG_DONTWAIT)                                 # 3
A: sendto(a, "who", 0, inet("127.0.0.5", 5001))              # 3
A: recv(c, 10, MSG_DONTWAIT)                                 # 3
A: sendto(a, "", 0, inet("127.0.0.1", 5001))                 # 0
A: ioctl(d, FIONREAD)                                        # 0
A: recv(d, 0, 0)                                             # 0
A: sendto(a, "x", MSG_OOB, inet("127.0.0.1", 5001))          # EOPNOTSUPP
A: sendto(a, "x", 0, inet("127.0.0.1", 0))                   # EINVAL
A: sendto(a, "x", 0, inet("255.255.255.255", 5001))          # EACCES
A: sendto(a, "x", 0, inet("127.255.255.255", 5001))          # EACCES
A: setsockopt(a, SOL_SOCKET, SO_BROADCAST, 1)                # 0
A: sendto(a, "bc", 0, inet("127.255.255.255", 5001))         # 2
A: recv(c, 10, MSG_DONTWAIT)                                 # 2
A: recv(d, 10, MSG_DONTWAIT)                                 # EAGAIN
A: sendto(a, "x", 0, inet("10.1.2.3", 5001))                 # ENETUNREACH
A: sendto(a, "x", 0, inet("224.0.0.1", 5001))                # 1
A: sendto(a, "x", 0, {sa_family=AF_UNIX, sa_data="xxxxxxxxxxxxxx"}) # EAFNOSUPPORT
A: sendto(a, "x", 0, {sa_family=AF_INET, sa_data="xx"})      # EINVAL
A: connect(a, inet("127.0.0.1", 5001))                       # 0
A: getpeername(a)                                            # 0
A: send(a, "conn", 0)                                        # 4
A: recvfrom(d, 10)                                           # 4
A: sendto(d, "back", 0, inet("127.0.0.1", 5000))             # 4
A: sendto(c, "not you", 0, inet("127.0.0.1", 5000))          # 7
A: recv(a, 10, MSG_DONTWAIT)                                 # 4
A: recv(a, 10, MSG_DONTWAIT)                                 # 7
A: connect(a, inet("127.0.0.1", 5001))                       # 0
A: shutdown(a, SHUT_RD)                                      # 0
A: recv(a, 10, 0)                                            # 0
A: send(d, "x", 0)                                           # EDESTADDRREQ
A: sendto(d, "after", 0, inet("127.0.0.1", 5000))            # 5
A: recv(a, 10, 0)                                            # 5
A: shutdown(a, SHUT_WR)                                      # 0
A: send(a, "x", 0)                                           # EPIPE
A: shutdown(b, SHUT_WR)                                      # ENOTCONN
A: listen(a, 1)                                              # EOPNOTSUPP
A: accept(a)                                                 # EOPNOTSUPP
A: setsockopt(d, SOL_SOCKET, SO_RCVBUF, 0)                   # 0
A: getsockopt(d, SOL_SOCKET, SO_RCVBUF)                      # 0
repeat 5 {
  A: sendto(c, "y" * 600, 0, inet("127.0.0.1", 5001))        # 600
}
A: recv(d, 10, MSG_DONTWAIT)                                 # 10
A: recv(d, 10, MSG_DONTWAIT)                                 # EAGAIN if udp_drops_unless_empty else 10
A: recv(d, 10, MSG_DONTWAIT)                                 # EAGAIN
A: recv(d, 10, MSG_DONTWAIT)                                 # EAGAIN
A: setsockopt(d, SOL_SOCKET, SO_PEEK_OFF, 0)                 # 0
A: sendto(c, "peekable", 0, inet("127.0.0.1", 5001))         # 8
A: recv(d, 3, MSG_PEEK)                                      # 3
A: recv(d, 3, MSG_PEEK)                                      # 3
A: recv(d, 3, MSG_PEEK)                                      # 2
A: recv(d, 3, 0)                                             # 3
A: recvmmsg(d, [{msg_iov=[10]}], MSG_DONTWAIT)               # EAGAIN
A: sendto(c, "z" * 65507, 0, inet("127.0.0.1", 5001))        # 65507
A: setsockopt(d, SOL_SOCKET, SO_RCVBUF, 200000)              # 0
A: sendto(c, "z" * 65507, 0, inet("127.0.0.1", 5001))        # 65507
A: recv(d, 70000, 0)                                         # 65507
A: sendto(c, "z" * 65504, 0, inet("127.0.0.1", 5001))        # 65504
A: recv(d, 70000, 0)                                         # 65507
A: setsockopt(c, SOL_UDP, UDP_CORK, 1)                       # 0
A: sendto(c, "1", 0, inet("127.0.0.1", 5001))                # 1
A: sendto(c, "2", 0, inet("127.0.0.1", 5001))                # 1
A: close(c)                                                  # 0
A: recv(d, 10, MSG_DONTWAIT)                                 # 10
