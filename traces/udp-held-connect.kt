## udp-held-connect: a datagram that is held back, and its socket connected to somebody else meanwhile
A: socket(AF_INET6, SOCK_DGRAM) -> x
A: bind(x, inet6("::1", 7000))                               # 0
A: socket(AF_INET6, SOCK_DGRAM) -> y
A: bind(y, inet6("::1", 7001))                               # 0
A: socket(AF_INET6, SOCK_DGRAM) -> s
A: sendto(s, "for x", MSG_MORE, inet6("::1", 7000))          # 5
A: connect(s, inet6("::1", 7001))                            # 0
A: send(s, ", too", 0)                                       # 5
A: recv(x, 100, MSG_DONTWAIT)                                # EAGAIN if ip6_flow_in_cork else 10 "for x, too"
A: recv(y, 100, MSG_DONTWAIT)                                # 10 if ip6_flow_in_cork else EAGAIN
## connected already, and held back by UDP_CORK
A: setsockopt(s, SOL_UDP, UDP_CORK, 1)                       # 0
A: send(s, "for y", 0)                                       # 5
A: connect(s, inet6("::1", 7000))                            # 0
A: setsockopt(s, SOL_UDP, UDP_CORK, 0)                       # 0
A: recv(x, 100, MSG_DONTWAIT)                                # 5 if ip6_flow_in_cork else EAGAIN
A: recv(y, 100, MSG_DONTWAIT)                                # EAGAIN if ip6_flow_in_cork else 5 "for y"
## the peer forgotten, it still goes where it was to go
A: send(s, "more for x", MSG_MORE)                           # 10
A: connect(s, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}) # 0
A: send(s, "!", 0)                                           # 1
A: recv(x, 100, MSG_DONTWAIT)                                # 11 "more for x!"
## IPv4: where the socket is connected to now
A: socket(AF_INET, SOCK_DGRAM) -> v
A: bind(v, inet("127.0.0.1", 7002))                          # 0
A: socket(AF_INET, SOCK_DGRAM) -> w
A: bind(w, inet("127.0.0.1", 7003))                          # 0
A: socket(AF_INET, SOCK_DGRAM) -> t
A: sendto(t, "for v", MSG_MORE, inet("127.0.0.1", 7002))     # 5
A: connect(t, inet("127.0.0.1", 7003))                       # 0
A: send(t, ", too", 0)                                       # 5
A: recv(v, 100, MSG_DONTWAIT)                                # EAGAIN
A: recv(w, 100, MSG_DONTWAIT)                                # 10 "for v, too"
