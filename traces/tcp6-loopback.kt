## tcp6-loopback: connections over ::1, and IPv4 ones that an AF_INET6 socket takes
A: socket(AF_INET6, SOCK_STREAM) -> l
A: bind(l, inet6("::1", 5000))                       # 0
A: getsockname(l)                                    # 0 inet6("::1", 5000)
A: getsockopt(l, SOL_IPV6, IPV6_V6ONLY)              # 0 1
A: listen(l, 2)                                      # 0
A: fork() -> B
B: socket(AF_INET6, SOCK_STREAM) -> c
B: connect(c, inet6("::1", 5001))                    # ECONNREFUSED
B: connect(c, inet6("2001:db8::1", 5000))            # ENETUNREACH
B: connect(c, inet6("fe80::1", 5000))                # EINVAL
B: connect(c, inet6("ff02::1", 5000))                # ENETUNREACH
## no address at all stands for the loopback
B: connect(c, inet6("::", 5000))                     # 0
B: getpeername(c)                                    # 0 inet6("::1", 5000)
A: accept(l) -> s
A: getsockname(s)                                    # 0 inet6("::1", 5000)
A: read(s, 10)                                       # blocked
B: write(c, "hello")                                 # 5; A: 5 "hello"
A: shutdown(s, SHUT_WR)                              # 0
B: read(c, 10)                                       # 0 ""
B: close(c)                                          # 0
A: read(s, 10)                                       # 0 ""
A: close(s)                                          # 0
## the wild card takes both families, unless it is told not to
A: socket(AF_INET6, SOCK_STREAM) -> w
A: bind(w, inet6("::", 5002))                        # 0
A: listen(w, 2)                                      # 0
A: socket(AF_INET, SOCK_STREAM) -> four
A: bind(four, inet("127.0.0.1", 5002))               # EADDRINUSE
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5002))               # 0
A: accept(w) -> s
A: getpeername(s)
A: getsockname(s)                                    # 0 inet6("::ffff:127.0.0.1", 5002)
B: write(c, "four")                                  # 4
A: read(s, 10)                                       # 4 "four"
A: setsockopt(s, SOL_IPV6, IPV6_ADDRFORM, AF_INET)   # 0
A: getsockname(s)                                    # 0 inet("127.0.0.1", 5002)
A: close(s)                                          # 0
B: close(c)                                          # 0
A: socket(AF_INET6, SOCK_STREAM) -> v6
A: setsockopt(v6, SOL_IPV6, IPV6_V6ONLY, 1)          # 0
A: bind(v6, inet6("::", 5003))                       # 0
A: setsockopt(v6, SOL_IPV6, IPV6_V6ONLY, 0)          # EINVAL
A: listen(v6, 1)                                     # 0
A: bind(four, inet("0.0.0.0", 5003))                 # 0
B: socket(AF_INET, SOCK_STREAM) -> c
B: connect(c, inet("127.0.0.1", 5003))               # ECONNREFUSED
## an AF_INET6 socket connects over IPv4
A: listen(four, 1)                                   # 0
B: socket(AF_INET6, SOCK_STREAM) -> m
B: connect(m, inet6("::ffff:127.0.0.1", 5003))       # 0
B: getsockopt(m, SOL_IPV6, IPV6_ADDRFORM)            # 0 10
A: accept(four) -> s
A: write(s, "mapped")                                # 6
B: read(m, 10)                                       # 6 "mapped"
B: setsockopt(m, SOL_SOCKET, SO_LINGER, {1, 0})      # 0
B: close(m)                                          # 0
A: read(s, 10)                                       # ECONNRESET
B: socket(AF_INET6, SOCK_STREAM) -> o
B: setsockopt(o, SOL_IPV6, IPV6_V6ONLY, 1)           # 0
B: connect(o, inet6("::ffff:127.0.0.1", 5003))       # ENETUNREACH
B: bind(o, inet6("::ffff:127.0.0.1", 0))             # EINVAL
