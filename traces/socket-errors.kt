## socket-errors: every way in which socket() fails in __sys_socket, __sock_create, inet_create and unix_create
## __sys_socket: flags that are neither SOCK_CLOEXEC nor SOCK_NONBLOCK
A: socket(AF_INET, SOCK_STREAM|0x10, 0)     # EINVAL
A: socket(AF_INET, SOCK_STREAM|O_DIRECT, 0) # EINVAL
## __sock_create: family and type out of range, a family that nobody registered
A: socket(-1, SOCK_STREAM, 0)               # EAFNOSUPPORT
A: socket(AF_MAX, SOCK_STREAM, 0)           # EAFNOSUPPORT
A: socket(AF_INET, 11, 0)                   # EINVAL
A: socket(AF_UNSPEC, SOCK_STREAM, 0)        # EAFNOSUPPORT
A: socket(AF_APPLETALK, SOCK_DGRAM, 0)      # EAFNOSUPPORT
## inet_create: protocol out of range, no list for the type, not in the list
A: socket(AF_INET, SOCK_STREAM, -1)         # EINVAL
A: socket(AF_INET, SOCK_STREAM, IPPROTO_MAX)         # EINVAL
A: socket(AF_INET, 0, 0)                    # ESOCKTNOSUPPORT
A: socket(AF_INET, SOCK_RDM, 0)             # ESOCKTNOSUPPORT
A: socket(AF_INET, SOCK_SEQPACKET, 0)       # ESOCKTNOSUPPORT
A: socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)         # EPROTONOSUPPORT
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP) # EPROTONOSUPPORT
## the wild card IPPROTO_IP stands for the list's first protocol, but SOCK_RAW has none
A: socket(AF_INET, SOCK_RAW, IPPROTO_IP)    # EPROTONOSUPPORT
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) -> u
A: getsockopt(u, SOL_SOCKET, SO_PROTOCOL)   # 0 IPPROTO_UDP 4
A: close(u)                                 # 0
## ping sockets exist, but net.ipv4.ping_group_range admits no group
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)         # EACCES
## raw sockets are for CAP_NET_RAW
spawn U uid=1000 gid=1000
U: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)  # EPERM
U: socket(AF_INET, SOCK_RAW, IPPROTO_TCP)   # EPERM
U: socket(AF_PACKET, SOCK_RAW, 0)           # EPERM
## PF_INET with SOCK_PACKET is taken for PF_PACKET, which does not let U in
U: socket(AF_INET, SOCK_PACKET, 0)          # EPERM
A: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> raw
A: getsockopt(raw, SOL_SOCKET, SO_TYPE)     # 0 SOCK_RAW 4
A: close(raw)                               # 0
## unix_create: a protocol of its own, types, and SOCK_RAW for SOCK_DGRAM
A: socket(AF_UNIX, SOCK_STREAM, IPPROTO_TCP)         # EPROTONOSUPPORT
A: socket(AF_UNIX, SOCK_RDM, 0)             # ESOCKTNOSUPPORT
A: socket(AF_UNIX, SOCK_RAW, PF_UNIX) -> x
A: getsockopt(x, SOL_SOCKET, SO_TYPE)       # 0 SOCK_DGRAM 4
A: close(x)                                 # 0
## what cannot come in pairs
A: socketpair(AF_INET, SOCK_STREAM, 0)      # EOPNOTSUPP
A: socketpair(AF_UNIX, SOCK_STREAM|0x10, 0) # EINVAL
A: socketpair(AF_UNIX, SOCK_STREAM, 0, BAD) # EFAULT
## no descriptor left: the socket is made, and thrown away again
A: setrlimit(RLIMIT_NOFILE, {1, 1})         # 0
A: socket(AF_INET, SOCK_STREAM, 0) -> only  # 0
A: socket(AF_INET, SOCK_STREAM, 0)          # EMFILE
A: socketpair(AF_UNIX, SOCK_STREAM, 0)      # EMFILE
A: close(only)                              # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0)      # EMFILE
A: socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0)      # 0
A: fcntl(0, F_GETFD)                        # FD_CLOEXEC
