## raw: raw sockets see every packet of their protocol; headers made by hand, filters, ICMP errors
A: socket(AF_INET, SOCK_RAW, 253) -> r
A: getsockname(r)                                           # 0 inet("0.0.0.0", 253)
A: socket(AF_INET, SOCK_RAW, 253) -> s
A: bind(s, inet("10.0.0.1", 0))                             # EADDRNOTAVAIL
A: bind(s, inet("127.0.0.2", 80))                           # 0
A: getsockname(s)                                           # 0 inet("127.0.0.2", 253)
A: send(r, "nowhere", 0)                                    # EDESTADDRREQ
A: sendto(r, "hello", 0, inet("127.0.0.1", 0))              # 5
A: recv(s, 100, MSG_DONTWAIT)                               # EAGAIN
A: ioctl(r, FIONREAD)                                       # 0 25
A: recvfrom(r, 100, 0)                                      # 25
A: sendto(r, "both", 0, inet("127.0.0.2", 0))               # 4
A: recv(r, 22, MSG_PEEK|MSG_TRUNC)                          # 24
A: recv(r, 100, 0)                                          # 24
A: poll([{s, POLLIN, 0}], 0)                                # 1
A: recv(s, 22, 0)                                           # 22
A: sendto(r, "x" * 40000, 0, inet("127.0.0.1", 0))          # 40000
A: recv(r, 20, MSG_TRUNC)                                   # 40020
## connected: only what comes from there
A: connect(s, inet("127.0.0.1", 0))                         # 0
A: send(s, "to one", 0)                                     # 6
A: recv(r, 100, 0)                                          # 26
A: recv(s, 100, MSG_DONTWAIT)                               # EAGAIN
A: connect(s, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"})  # 0
## the header too is made by hand, but for length, checksum and what is 0
A: setsockopt(r, SOL_IP, IP_HDRINCL, 1)                     # 0
A: sendto(r, "too short", 0, inet("127.0.0.1", 0))          # EINVAL
A: sendto(r, "\x45\0\0\0\x12\x34\x40\0\x09\xfd\0\0\0\0\0\0\x7f\0\0\x01made", 0, inet("127.0.0.1", 0))   # 24
A: recv(r, 100, 0)                                          # 24
A: close(r)                                                 # 0
## echoes, as ping(8) sees them with privilege
A: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> i
A: sendto(i, "\x08\0\xf7\xfd\0\x01\0\x01", 0, inet("127.0.0.1", 0))    # 8
A: recv(i, 100, 0)                                          # 28
A: recv(i, 100, 0)                                          # 28
A: setsockopt(i, SOL_RAW, ICMP_FILTER, 0x100)               # 0
A: getsockopt(i, SOL_RAW, ICMP_FILTER)                      # 0 256
A: sendto(i, "\x08\0\xf7\xfd\0\x01\0\x01", 0, inet("127.0.0.1", 0))    # 8
A: recv(i, 100, 0)                                          # 28
A: recv(i, 100, MSG_DONTWAIT)                               # EAGAIN
## a port that nobody has, and a protocol that nobody knows
A: socket(AF_INET, SOCK_RAW, IPPROTO_UDP) -> u
A: socket(AF_INET, SOCK_DGRAM) -> d
A: sendto(d, "lost", 0, inet("127.0.0.1", 6000))            # 4
A: recv(u, 100, 0)                                          # 32
A: recv(i, 100, 0)                                          # 60
A: socket(AF_INET, SOCK_RAW, 254) -> n
A: connect(n, inet("127.0.0.2", 0))                         # 0
A: send(n, "who? who?", 0)                                  # 9
A: recv(i, 100, 0)                                          # 57
A: send(n, "again", 0)
A: getsockopt(n, SOL_SOCKET, SO_ERROR)
A: listen(n, 1)                                             # EOPNOTSUPP
A: accept(n)                                                # EOPNOTSUPP
A: shutdown(n, SHUT_RDWR)                                   # 0
A: recv(n, 10, 0)                                           # 0
## IPv6: no header, and a checksum where one is asked for
A: socket(AF_INET6, SOCK_RAW, 253) -> v
A: bind(v, inet6("::ffff:127.0.0.1", 0))                    # EADDRNOTAVAIL
A: bind(v, inet6("::1", 0))                                 # 0
A: sendto(v, "hello", 0, inet6("::1", 0))                   # 5
A: sendto(v, "hello", 0, inet6("::1", 6))                   # EINVAL
A: recvfrom(v, 100, 0)                                      # 5 "hello"
A: setsockopt(v, SOL_IPV6, IPV6_CHECKSUM, 2)                # 0
A: sendto(v, "ab\0\0cd", 0, inet6("::1", 0))                # 6
A: recv(v, 100, 0)                                          # 6
A: socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) -> w
A: sendto(w, "\x80\0\0\0\0\x01\0\x01", 0, inet6("::1", 0))  # 8
A: recv(w, 100, 0)                                          # 8
A: recv(w, 100, 0)                                          # 8
A: setsockopt(w, SOL_ICMPV6, ICMPV6_FILTER, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")   # 0
A: sendto(w, "\x80\0\0\0\0\x01\0\x01", 0, inet6("::1", 0))  # 8
A: recv(w, 100, MSG_DONTWAIT)                               # EAGAIN
A: setsockopt(w, SOL_ICMPV6, ICMPV6_FILTER, "\0\0\0\0")     # 0
A: socket(AF_INET6, SOCK_DGRAM) -> e
A: sendto(e, "lost", 0, inet6("::1", 6000))                 # 4
A: recv(w, 100, 0)                                          # 60
A: sendto(v, "unheard", 0, inet6("::1", 0))                 # 7
## what comes with a packet, for who asks; what a sender says of one packet
A: socket(AF_INET, SOCK_RAW, 252) -> t
A: setsockopt(t, SOL_IP, IP_PKTINFO, 1)                     # 0
A: setsockopt(t, SOL_IP, IP_RECVTTL, 1)                     # 0
A: setsockopt(t, SOL_IP, IP_RECVTOS, 1)                     # 0
A: connect(t, inet("127.0.0.1", 0))                         # 0
A: sendmsg(t, {msg_iov=["short-lived"], msg_control=[{SOL_IP, IP_TTL, "\x03\0\0\0"}, {SOL_IP, IP_TOS, "\x10\0\0\0"}]})   # 11
A: recvmsg(t, {msg_iov=[100], msg_namelen=16, msg_controllen=200})   # 31
A: setsockopt(t, SOL_IP, IP_MTU_DISCOVER, 3)                # 0
A: send(t, "DF", 0)                                         # 2
A: recv(t, 100, 0)                                          # 22
A: setsockopt(t, SOL_IP, IP_MTU_DISCOVER, 0)                # 0
A: send(t, "no DF", 0)                                      # 5
A: recv(t, 100, 0)                                          # 25
A: setsockopt(v, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)            # 0
A: recvmsg(v, {msg_iov=[100], msg_namelen=28, msg_controllen=200})   # 7
A: setsockopt(v, SOL_IPV6, IPV6_HDRINCL, 0)                 # 0
A: getsockopt(v, SOL_IPV6, IPV6_CHECKSUM)                   # 0 2
