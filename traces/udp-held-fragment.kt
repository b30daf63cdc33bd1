## udp-held-fragment: what is added to a datagram over IPv6 goes into the page that a splice() before it shares
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])               # 0
A: pipe([r, w])                                              # 0
A: send(b, "in the head of a buffer", 0)                     # 23
A: splice(a, NULL, w, NULL, 100, 0)                          # 23
A: socket(AF_INET6, SOCK_DGRAM) -> x
A: bind(x, inet6("::1", 7000))                               # 0
A: socket(AF_INET6, SOCK_DGRAM) -> s
A: sendto(s, "x", MSG_MORE, inet6("::1", 7000))              # 1
A: sendto(s, "y" * 3000, 0, inet6("::1", 7000))              # 3000
A: recv(x, 4000, 0)                                          # 3001
A: read(r, 100)                                              # 23
