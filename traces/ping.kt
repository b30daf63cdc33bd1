## ping: echoes over 127.0.0.1 and ::1 without privilege, for groups in ping_group_range
spawn U uid=1000 gid=1000
U: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)                        # EACCES
U: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)                          # EPERM
sysctl("net/ipv4/ping_group_range", "100 1000")
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)                        # EACCES
U: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) -> p
U: getsockname(p)                                                   # 0 inet("0.0.0.0", 0)
U: send(p, "\x08\0\0\0\0\0\0\1", 0)                                 # EDESTADDRREQ
U: sendto(p, "\0\0\0\0\0\0\0\1reply", 0, inet("127.0.0.1", 0))      # EINVAL
U: sendto(p, "short", 0, inet("127.0.0.1", 0))                      # EINVAL
## an identifier is chosen, and put in place of what was written
U: sendto(p, "\x08\0\0\0\x12\x34\0\1hello", 0, inet("127.0.0.1", 0))     # 13
U: getsockname(p) -> _, addr=me                                     # 0
U: poll([{p, POLLIN|POLLOUT, 0}], 0)
U: ioctl(p, FIONREAD, 0)                                            # ENOTTY
U: recvfrom(p, 100, 0)                                              # 13
U: recvfrom(p, 100, MSG_DONTWAIT)                                   # EAGAIN
U: fork() -> V
V: recvfrom(p, 100, 0)                                              # blocked
U: connect(p, inet("127.0.0.2", 0))                                 # 0
U: send(p, "\x08\0\0\0\0\0\0\2again", 0)                            # 13; V: 13
U: send(p, "\x08\0\0\0\0\0\0\3" + "x" * 40000, 0)                   # 40008
U: recvfrom(p, 10, 0)                                               # 10
U: send(p, "\x08\0\0\0\0\0\0\3" + "x" * 65508, 0)                   # EMSGSIZE
U: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) -> q
U: setsockopt(q, SOL_SOCKET, SO_REUSEADDR, 0)                       # 0
U: bind(q, inet("127.0.0.1", me.sin_port))                                    # EADDRINUSE
U: bind(q, inet("10.0.0.1", 7))                                     # EADDRNOTAVAIL
U: bind(q, inet("127.0.0.1", 7))                                    # 0
U: bind(q, inet("127.0.0.1", 8))                                    # EINVAL
U: connect(q, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"})  # 0
U: close(q)                                                         # 0
## ICMPv6
U: socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6) -> s
U: sendto(s, "\x80\0\0\0\0\0\0\1six", 0, inet6("::1", 0))           # 11
U: recvfrom(s, 100, 0)                                              # 11
U: sendto(s, "\x80\0\0\0\0\0\0\1six", 0, inet6("::ffff:127.0.0.1", 0))   # EINVAL
U: sendto(s, "\x08\0\0\0\0\0\0\1six", 0, inet6("::1", 0))           # EINVAL
U: connect(s, inet6("::1", 9))                                      # 0
U: getpeername(s)                                                   # 0 inet6("::1", 9)
U: send(s, "\x80\0\0\0\0\0\0\2more", 0)                             # 12
U: read(s, 100)                                                     # 12
