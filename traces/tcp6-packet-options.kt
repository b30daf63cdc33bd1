## tcp6-packet-options: a TCP sock over IPv6 that wants to hear of packets keeps hop limit and interface of the last one
A: socket(AF_INET6, SOCK_STREAM) -> l
A: bind(l, inet6("::1", 5000))                                 # 0
A: listen(l, 4)                                                # 0
A: socket(AF_INET6, SOCK_STREAM) -> c
A: setsockopt(c, SOL_IPV6, IPV6_UNICAST_HOPS, 7)               # 0
A: connect(c, inet6("::1", 5000))                              # 0
A: accept(l) -> x
## nothing is kept of packets that came before
A: setsockopt(x, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)               # 0
A: getsockopt(x, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=7
A: setsockopt(c, SOL_IPV6, IPV6_UNICAST_HOPS, 8)               # 0
A: write(c, "hello")                                           # 5
A: getsockopt(x, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=8
A: setsockopt(c, SOL_IPV6, IPV6_UNICAST_HOPS, 9)               # 0
A: write(c, "again")                                           # 5
A: getsockopt(x, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=9
A: setsockopt(x, SOL_IPV6, IPV6_RECVPKTINFO, 1)                # 0
A: setsockopt(x, SOL_IPV6, IPV6_RECVHOPLIMIT, 0)               # 0
A: setsockopt(c, SOL_IPV6, IPV6_UNICAST_HOPS, 11)              # 0
A: write(c, "!")                                               # 1
A: getsockopt(x, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=9
## a FIN is a packet, too, that of one who exits as well
A: setsockopt(x, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)               # 0
A: shutdown(c, SHUT_WR)                                        # 0
A: getsockopt(x, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=11
A: fork() -> B
B: socket(AF_INET6, SOCK_STREAM) -> d
B: setsockopt(d, SOL_IPV6, IPV6_UNICAST_HOPS, 13)              # 0
B: connect(d, inet6("::1", 5000))                              # 0
A: accept(l) -> y
A: setsockopt(y, SOL_IPV6, IPV6_2292HOPLIMIT, 1)               # 0
B: setsockopt(d, SOL_IPV6, IPV6_UNICAST_HOPS, 14)              # 0
B: exit(0)                                                     # B: exited 0
A: getsockopt(y, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=14
## the answer to a SYN; packets of IPv4 say nothing
A: setsockopt(l, SOL_IPV6, IPV6_UNICAST_HOPS, 17)              # 0
A: socket(AF_INET6, SOCK_STREAM) -> e
A: setsockopt(e, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)               # 0
A: connect(e, inet6("::1", 5000))                              # 0
A: getsockopt(e, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=17
A: accept(l) -> z
A: socket(AF_INET6, SOCK_STREAM) -> m
A: bind(m, inet6("::", 5001))                                  # 0
A: listen(m, 1)                                                # 0
A: socket(AF_INET, SOCK_STREAM) -> v
A: connect(v, inet("127.0.0.1", 5001))                         # 0
A: accept(m) -> w
A: setsockopt(w, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)               # 0
A: setsockopt(v, SOL_IP, IP_TTL, 5)                            # 0
A: write(v, "of IPv4")                                         # 7
A: getsockopt(w, SOL_IPV6, IPV6_MULTICAST_HOPS)                # 0 optval=64
