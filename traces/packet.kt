## packet: creation, names and binding of AF_PACKET sockets
spawn U uid=1000 gid=1000
U: socket(AF_PACKET, SOCK_RAW, 0)                           # EPERM
A: socket(AF_PACKET, SOCK_STREAM, 0)                        # ESOCKTNOSUPPORT
A: socket(AF_PACKET, SOCK_RAW, 0) -> p
A: getsockname(p)                                           # 0 packet(0, 0)
A: getpeername(p)                                           # EOPNOTSUPP
A: bind(p, {sa_family=AF_PACKET, sa_data="\0\x03\x01\0\0\0"})   # EINVAL
A: bind(p, {sa_family=AF_UNIX, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"})  # EINVAL
A: bind(p, packet(3, 77))                                   # ENODEV
A: bind(p, packet(0, 1))                                    # 0
A: getsockname(p)                                           # 0 _ 18
A: poll([{p, POLLIN|POLLOUT, 0}], 0)                        # 1
A: recv(p, 10, MSG_DONTWAIT)                                # EAGAIN
A: listen(p, 1)                                             # EOPNOTSUPP
A: connect(p, packet(3, 1))                                 # EOPNOTSUPP
A: shutdown(p, SHUT_RDWR)                                   # EOPNOTSUPP
## from here on it listens: to ETH_P_IP on lo, then to everything everywhere
A: bind(p, packet(0x800, 1))                                # 0
A: bind(p, packet(3, 0))                                    # 0
A: getsockname(p)                                           # 0 packet(3, 0) 12
A: ioctl(p, FIONREAD)                                       # 0 0
A: close(p)                                                 # 0
## the argument is in network byte order
A: socket(AF_PACKET, SOCK_DGRAM, 0x0300) -> d
A: getsockname(d)                                           # 0 packet(3, 0) 12
A: close(d)                                                 # 0
## the compatibility of SOCK_PACKET, also by AF_INET: bound by the name of a device
A: socket(AF_INET, SOCK_PACKET, 0) -> s
A: getsockname(s)
A: bind(s, {sa_family=AF_PACKET, sa_data="lo\0\0\0\0\0\0\0\0\0\0\0\0"})    # 0
A: bind(s, {sa_family=AF_PACKET, sa_data="eth0\0\0\0\0\0\0\0\0\0\0"})      # ENODEV
A: bind(s, {sa_family=AF_PACKET, sa_data="lo\0"})           # EINVAL
A: getsockname(s)
