## inet-mtu: how long packets may be, by the family of the way; SOL_UDPLITE means UDP where there is UDP-Lite
A: socket(AF_INET6, SOCK_DGRAM) -> d
A: getsockopt(d, SOL_IP, IP_MTU)                              # ENOTCONN
A: connect(d, inet6("::1", 7000))                             # 0
A: getsockopt(d, SOL_IP, IP_MTU)                              # 0 65536
A: getsockopt(d, SOL_IPV6, IPV6_MTU)                          # 0 65536
A: setsockopt(d, SOL_UDPLITE, UDP_CORK, 1)                    # 0 if udplite else ENOPROTOOPT
A: getsockopt(d, SOL_UDPLITE, UDP_CORK)                       # 0 1 if udplite else ENOPROTOOPT
A: getsockopt(d, SOL_UDP, UDP_CORK)                           # 0 1 if udplite else 0 0
## to an IPv4 address: 65535, which is all that IPv4 can say
A: socket(AF_INET6, SOCK_DGRAM) -> e
A: connect(e, inet6("::ffff:127.0.0.1", 7000))                # 0
A: getsockopt(e, SOL_IP, IP_MTU)                              # 0 65535
A: getsockopt(e, SOL_IPV6, IPV6_MTU)                          # 0 65535
A: socket(AF_INET, SOCK_DGRAM) -> f
A: connect(f, inet("127.0.0.1", 7000))                        # 0
A: getsockopt(f, SOL_IP, IP_MTU)                              # 0 65535
A: setsockopt(f, SOL_UDPLITE, UDP_CORK, 0)                    # 0 if udplite else ENOPROTOOPT
A: getsockopt(f, SOL_UDPLITE, UDP_CORK)                       # 0 0 if udplite else EOPNOTSUPP
## the same of connections, and of what accept() returns
A: socket(AF_INET6, SOCK_STREAM) -> l
A: bind(l, inet6("::", 7000))                                 # 0
A: listen(l, 4)                                               # 0
A: getsockopt(l, SOL_IP, IP_MTU)                              # ENOTCONN
A: socket(AF_INET6, SOCK_STREAM) -> c
A: connect(c, inet6("::1", 7000))                             # 0
A: getsockopt(c, SOL_IP, IP_MTU)                              # 0 65536
A: socket(AF_INET6, SOCK_STREAM) -> g
A: connect(g, inet6("::ffff:127.0.0.1", 7000))                # 0
A: getsockopt(g, SOL_IP, IP_MTU)                              # 0 65535
A: accept(l) -> a
A: getsockopt(a, SOL_IP, IP_MTU)                              # 0 65536
A: accept(l) -> b
A: getsockopt(b, SOL_IP, IP_MTU)                              # 0 65535
