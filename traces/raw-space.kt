## raw-space: a packet that fails once its buffer is made tells writers of room when that is freed
A: epoll_create1(0) -> e
A: socket(AF_INET, SOCK_RAW, IPPROTO_RAW) -> s
A: epoll_ctl(e, EPOLL_CTL_ADD, s, {EPOLLOUT|EPOLLET, 1})     # 0
A: epoll_wait(e, 4, 0)                                       # 1
## a header that is none, and one that cannot be read
A: sendto(s, "0" * 30, 0, inet("127.0.0.1", 0))              # EINVAL
A: epoll_wait(e, 4, 0)                                       # 1
A: sendto(s, BAD, 100, 0, inet("127.0.0.1", 0), 16)              # EFAULT
A: epoll_wait(e, 4, 0)                                       # 1
## too short, too long: no buffer was made
A: sendto(s, "0" * 19, 0, inet("127.0.0.1", 0))              # EINVAL
A: sendto(s, "0" * 65537, 0, inet("127.0.0.1", 0))           # EMSGSIZE
A: epoll_wait(e, 4, 0)                                       # 0
## where the kernel makes the header
A: socket(AF_INET, SOCK_RAW, 253) -> r
A: epoll_ctl(e, EPOLL_CTL_ADD, r, {EPOLLOUT|EPOLLET, 2})     # 0
A: epoll_wait(e, 4, 0)                                       # 1
A: sendto(r, BAD, 100, 0, inet("127.0.0.1", 0), 16)              # EFAULT
A: epoll_wait(e, 4, 0)                                         # 0
## UDP, and what is added to a datagram that is held back
A: socket(AF_INET, SOCK_DGRAM) -> u
A: epoll_ctl(e, EPOLL_CTL_ADD, u, {EPOLLOUT|EPOLLET, 3})     # 0
A: epoll_wait(e, 4, 0)                                       # 1
A: sendto(u, BAD, 100, 0, inet("127.0.0.1", 7000), 16)           # EFAULT
A: epoll_wait(e, 4, 0)                                         # 1
A: sendto(u, "x", MSG_MORE, inet("127.0.0.1", 7000))         # 1
A: epoll_wait(e, 4, 0)                                         # 0
A: send(u, BAD, 100, 0)                                      # EFAULT
A: epoll_wait(e, 4, 0)                                         # 1
A: socket(AF_INET6, SOCK_DGRAM) -> v
A: epoll_ctl(e, EPOLL_CTL_ADD, v, {EPOLLOUT|EPOLLET, 4})     # 0
A: epoll_wait(e, 4, 0)                                       # 1
A: sendto(v, BAD, 100, 0, inet6("::1", 7000), 28)                # EFAULT
A: epoll_wait(e, 4, 0)                                         # 1
A: sendto(v, "x", MSG_MORE, inet6("::1", 7000))              # 1
A: send(v, BAD, 100, 0)                                      # EFAULT
A: epoll_wait(e, 4, 0)                                         # 1
## ping
sysctl("net/ipv4/ping_group_range", "0 100")
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) -> p
A: epoll_ctl(e, EPOLL_CTL_ADD, p, {EPOLLOUT|EPOLLET, 5})     # 0
A: epoll_wait(e, 4, 0)                                       # 1
A: sendto(p, BAD, 100, 0, inet("127.0.0.1", 0), 16)          # EFAULT
A: epoll_wait(e, 4, 0)                                       # 0
A: sendmsg(p, {msg_name=inet("127.0.0.1", 0), msg_iov=["\x08\0\0\0\0\0\0\0", {BAD, 100}]}) # EFAULT
A: epoll_wait(e, 4, 0)                                         # 1
