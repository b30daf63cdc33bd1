## udp6-loopback: datagrams over ::1, IPv4 ones among them, corked ones, and a port that nobody has
A: socket(AF_INET6, SOCK_DGRAM) -> r
A: bind(r, inet6("::", 6000))                        # 0
A: socket(AF_INET6, SOCK_DGRAM) -> s
A: send(s, "where", 0)                               # EDESTADDRREQ
A: sendto(s, "one", 0, inet6("::1", 6000))           # 3
A: sendto(s, "two", 0, inet6("::ffff:127.0.0.1", 6000))    # 3
A: sendto(s, "six", 0, inet("127.0.0.1", 6000))      # 3
A: sendto(s, "far", 0, inet6("2001:db8::1", 6000))   # ENETUNREACH
A: sendto(s, "none", 0, inet6("::1", 0))             # EINVAL
A: recvfrom(r, 100, 0)                               # 3 "one"
A: recvfrom(r, 2, MSG_TRUNC)                         # 3 "tw"
A: recvfrom(r, 100, 0)                               # 3 "six"
A: socket(AF_INET, SOCK_DGRAM) -> four
A: bind(four, inet("0.0.0.0", 6000))                 # EADDRINUSE
A: connect(four, inet("127.0.0.1", 6000))            # 0
A: send(four, "from IPv4", 0)                        # 9
A: recvfrom(r, 100, 0)                               # 9 "from IPv4"
A: connect(s, inet6("::1", 6000))                    # 0
A: getsockname(s)
A: send(s, "three", 0)                               # 5
A: recv(r, 100, MSG_PEEK)                            # 5 "three"
A: recv(r, 100, 0)                                   # 5 "three"
A: send(s, "x" * 65528, 0)                           # EMSGSIZE
A: send(s, "x" * 40000, 0)                           # 40000
A: recv(r, 10, MSG_TRUNC)                            # 40000 "xxxxxxxxxx"
## what comes with a packet, for who asks
A: setsockopt(r, SOL_IPV6, IPV6_RECVPKTINFO, 1)      # 0
A: setsockopt(r, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)     # 0
A: setsockopt(s, SOL_IPV6, IPV6_UNICAST_HOPS, 5)     # 0
A: setsockopt(s, SOL_IPV6, IPV6_TCLASS, 32)          # 0
A: setsockopt(r, SOL_IPV6, IPV6_RECVTCLASS, 1)       # 0
A: send(s, "told", 0)                                # 4
A: recvmsg(r, {msg_iov=[10], msg_namelen=28, msg_controllen=200})      # 4
A: send(s, "cut", 0)                                 # 3
A: recvmsg(r, {msg_iov=[10], msg_namelen=28, msg_controllen=50})       # 3
A: send(four, "mapped", 0)                           # 6
A: recvmsg(r, {msg_iov=[10], msg_namelen=28, msg_controllen=200})      # 6
## corked: three pieces, one datagram
A: setsockopt(s, SOL_UDP, UDP_CORK, 1)               # 0
A: send(s, "a", 0)                                   # 1
A: send(s, "bc", 0)                                  # 2
A: sendto(s, "d", 0, inet("127.0.0.1", 6000))        # EINVAL
A: setsockopt(s, SOL_UDP, UDP_CORK, 0)               # 0
A: recv(r, 100, 0)                                   # 3 "abc"
## a reader waits
A: fork() -> B
B: recv(r, 100, 0)                                   # blocked
A: send(s, "wake", 0)                                # 4; B: 4 "wake"
## nobody is there: the answer by ICMPv6 is told at the next call
A: close(r)                                          # 0
B: close(r)                                          # 0
A: send(s, "lost", 0)                                # 4
A: send(s, "lost", 0)                                # ECONNREFUSED
A: connect(s, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"})  # 0
A: getsockname(s)                                    # 0 inet6("::", 0)
A: connect(s, inet6("::ffff:127.0.0.1", 6001))       # 0
A: getpeername(s)                                    # 0 inet6("::ffff:127.0.0.1", 6001)
A: send(s, "lost", 0)                                # 4
A: getsockopt(s, SOL_SOCKET, SO_ERROR)               # 0 111
