## inet6-scopes: addresses that mean nothing without an interface are told with it
A: socket(AF_INET6, SOCK_DGRAM) -> s
A: bind(s, {sa_family=AF_INET6, sin6_port=7000, sin6_flowinfo=0, sin6_addr="::1", sin6_scope_id=1})          # 0
A: getsockname(s)                                                                                            # 0 inet6("::1", 7000)
A: bind(s, inet6("ff02::1", 7002))                                                                           # EINVAL
A: socket(AF_INET6, SOCK_DGRAM) -> e
A: bind(e, inet6("ff02::1", 7002))                                                                           # EINVAL
A: bind(e, {sa_family=AF_INET6, sin6_port=7002, sin6_flowinfo=0, sin6_addr="ff02::1", sin6_scope_id=1})      # 0
A: getsockname(e)                                                                                            # 0 {sa_family=AF_INET6, sin6_port=7002, sin6_flowinfo=0, sin6_addr="ff02::1", sin6_scope_id=1}
## a group of a larger scope needs none
A: socket(AF_INET6, SOCK_DGRAM) -> f
A: setsockopt(f, SOL_SOCKET, SO_BINDTODEVICE, "lo") # 0 if netdevices else ENOPROTOOPT
A: bind(f, inet6("ff05::1", 7003))                                                                           # 0
A: getsockname(f)                                                                                            # 0 inet6("ff05::1", 7003)
## there is no way to such a peer here
A: socket(AF_INET6, SOCK_DGRAM) -> g
A: connect(g, {sa_family=AF_INET6, sin6_port=7002, sin6_flowinfo=0, sin6_addr="ff02::1", sin6_scope_id=1})   # ENETUNREACH
