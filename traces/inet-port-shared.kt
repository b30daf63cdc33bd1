## inet-port-shared: where few ports are left, connect() and bind() without a port take one that others have, if all may have it
sysctl("net/ipv4/ip_local_port_range", "40000 40003")
A: socket(AF_INET, SOCK_STREAM) -> l1
A: bind(l1, inet("127.0.0.1", 5001))                         # 0
A: listen(l1, 9)                                             # 0
A: socket(AF_INET, SOCK_STREAM) -> l2
A: bind(l2, inet("127.0.0.1", 5002))                         # 0
A: listen(l2, 9)                                             # 0
A: socket(AF_INET6, SOCK_STREAM) -> l3
A: bind(l3, inet6("::1", 5003))                              # 0
A: listen(l3, 9)                                             # 0
## four ports, each to both listeners
repeat 4 as i {
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5001))                       # 0
A: socket(AF_INET, SOCK_STREAM) -> d
A: connect(d, inet("127.0.0.1", 5002))                       # 0
A: socket(AF_INET6, SOCK_STREAM) -> e
A: connect(e, inet6("::1", 5003))                            # 0
}
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5001))                       # EADDRNOTAVAIL
## one that is closed keeps its four numbers for a while
A: close(d)                                                  # 0
A: connect(c, inet("127.0.0.1", 5002))                       # EADDRNOTAVAIL
## bind() of several with SO_REUSEPORT, and with SO_REUSEADDR
repeat 6 as i {
A: socket(AF_INET, SOCK_DGRAM) -> u
A: setsockopt(u, SOL_SOCKET, SO_REUSEPORT, 1)                # 0
A: bind(u, inet("127.0.0.2", 0))                             ## while there is one
A: socket(AF_INET6, SOCK_DGRAM) -> v
A: setsockopt(v, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(v, inet6("::1", 0))                                  ## likewise
A: socket(AF_INET, SOCK_STREAM) -> t
A: setsockopt(t, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(t, inet("127.0.0.2", 0))                             ## likewise
A: socket(AF_INET, SOCK_STREAM) -> p
A: setsockopt(p, SOL_SOCKET, SO_REUSEPORT, 1)                # 0
A: bind(p, inet("127.0.0.3", 0))                             ## likewise
}
A: socket(AF_INET, SOCK_STREAM) -> q
A: bind(q, inet("127.0.0.4", 0))                             # _
