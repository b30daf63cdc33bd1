## socket-owner: whom a socket's signals go to: SIOCSPGRP, FIOSETOWN and F_SETOWN say, SIOCGPGRP, FIOGETOWN and F_GETOWN tell
A: fork() -> B
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: ioctl(a, SIOCGPGRP)                             # 0 0
A: ioctl(a, SIOCSPGRP, A)                          # 0
A: ioctl(a, SIOCGPGRP)                             # 0
A: fcntl(a, F_GETOWN)
A: ioctl(a, FIOSETOWN, B)                          # 0
A: ioctl(a, FIOGETOWN)                             # 0
A: fcntl(a, F_SETOWN, A)                           # 0
A: ioctl(a, FIOGETOWN)                             # 0
A: ioctl(a, SIOCSPGRP, 99999)                      # ESRCH
A: ioctl(a, SIOCSPGRP, -99999)                     # ESRCH
A: ioctl(a, SIOCSPGRP, -2147483648)                # EINVAL
A: ioctl(a, SIOCSPGRP, NULL)                     # EFAULT
A: ioctl(a, SIOCGPGRP, NULL)                     # EFAULT
A: ioctl(a, SIOCSPGRP, 0)                          # 0
A: ioctl(a, SIOCGPGRP)                             # 0 0
## SIGIO goes there, SIGURG likewise
A: ioctl(a, SIOCSPGRP, B)                          # 0
A: ioctl(a, FIOASYNC, 1)                           # 0
A: write(b, "x")                                   # 1; B: SIGIO
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: ioctl(s, FIOSETOWN, B)                          # 0
A: send(c, "!", MSG_OOB)                           # 1; B: SIGURG
A: ioctl(s, SIOCGPGRP)                             # 0
## every socket has an owner; a pipe has one by fcntl() alone
A: socket(AF_INET, SOCK_DGRAM) -> u
A: ioctl(u, SIOCSPGRP, A)                          # 0
A: ioctl(u, SIOCGPGRP)                             # 0
A: socket(AF_NETLINK, SOCK_RAW, 0) -> n
A: ioctl(n, SIOCSPGRP, A)                          # 0
A: ioctl(n, SIOCGPGRP)                             # 0
A: socket(AF_PACKET, SOCK_RAW, 0) -> k
A: ioctl(k, SIOCSPGRP, A)                          # 0
A: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> w
A: ioctl(w, FIOSETOWN, A)                          # 0
A: socket(AF_INET6, SOCK_STREAM) -> t6
A: ioctl(t6, FIOSETOWN, A)                         # 0
A: pipe([r, p])                                    # 0
A: ioctl(r, SIOCSPGRP, A)                          # ENOTTY
## one that is gone owns nothing
A: ioctl(u, SIOCSPGRP, B)                          # 0
B: exit(0)
A: ioctl(u, SIOCGPGRP)                             # 0 0
