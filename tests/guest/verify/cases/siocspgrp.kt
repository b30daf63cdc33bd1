## siocspgrp: the owner of a socket, set by ioctl()
## kernel: 0, f_owner A (net/socket.c: sock_ioctl(), f_setown())
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: ioctl(a, SIOCSPGRP, A)                          # 0
