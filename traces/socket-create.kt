## socket-create: every kind of socket that this kernel has, with its operations, flags and inode
A: socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC) -> a
A: fcntl(a, F_GETFL)                                 # O_RDWR|O_NONBLOCK
A: fcntl(a, F_GETFD)                                 # FD_CLOEXEC
A: socket(AF_UNIX, SOCK_DGRAM)                       # 1
A: socket(AF_UNIX, SOCK_SEQPACKET)                   # 2
A: socket(AF_UNIX, SOCK_STREAM, PF_UNIX)             # 3
## inet_create(): by number, and by the first entry of the list
A: socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)         # 4
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)          # 5
A: socket(AF_INET, SOCK_DGRAM) -> udp                # 6
A: bind(udp, inet("127.0.0.1", 6000))                # 0
## any protocol goes with SOCK_RAW: the list has only the wild card
A: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)           # 7
A: socket(AF_INET, SOCK_RAW, 200)                    # 8
A: socket(AF_INET, SOCK_RAW, IPPROTO_RAW)            # 9
A: socket(AF_INET6, SOCK_STREAM)                     # 10
A: socket(AF_INET6, SOCK_DGRAM)                      # 11
A: socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)        # 12
A: socket(AF_PACKET, SOCK_RAW, 0)                    # 13
A: socket(AF_PACKET, SOCK_DGRAM, 0)                  # 14
A: socket(AF_INET, SOCK_PACKET, 0)                   # 15
A: socket(AF_NETLINK, SOCK_RAW, 0)                   # 16
A: socket(AF_NETLINK, SOCK_DGRAM, 99)                # EPROTONOSUPPORT
## UDP-Lite, where there still is one, has ports of its own
A: socket(AF_INET, SOCK_DGRAM, 136)                  # 17 if udplite else EPROTONOSUPPORT
A: socket(AF_INET6, SOCK_DGRAM, 136)                 # 18 if udplite else EPROTONOSUPPORT
A: bind(17, inet("127.0.0.1", 6000))                 # 0 if udplite else EBADF
A: sendto(17, "to myself", 0, inet("127.0.0.1", 6000))     # 9 if udplite else EBADF
A: recv(udp, 10, MSG_DONTWAIT)                       # EAGAIN
A: recv(17, 10, 0)                                   # 9 "to myself" if udplite else EBADF
## the inode belongs to who made it, and can be given away; the sock's uid goes with it
spawn U uid=1000 gid=1001
U: socket(AF_UNIX, SOCK_DGRAM) -> mine
U: fstat(mine)                                       # 0 {st_uid=1000, st_gid=1001, st_nlink=1, st_size=0}
U: fchmod(mine, 0600)                                # 0
A: fchown(a, 1000, 1000)                             # 0
A: fstat(a)                                          # 0 {st_mode=0140777, st_uid=1000}
## accept4() with flags
A: socket(AF_UNIX, SOCK_STREAM) -> l
A: bind(l, unix(@"l"))                               # 0
A: listen(l, 1)                                      # 0
A: socket(AF_UNIX, SOCK_STREAM) -> c
A: connect(c, unix(@"l"))                            # 0
A: accept4(l, NULL, NULL, 0x10)                      # EINVAL
A: accept4(l, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC) -> d
A: fcntl(d, F_GETFL)                                 # O_RDWR|O_NONBLOCK
A: fcntl(d, F_GETFD)                                 # FD_CLOEXEC
## no file left, but for root: ENFILE, and nothing stays behind
sysctl("fs/file-max", "0")
U: socket(AF_INET, SOCK_STREAM)                      # ENFILE
U: socketpair(AF_UNIX, SOCK_STREAM, 0)               # ENFILE
U: pipe2([p, q], 0)                                  # ENFILE
A: socket(AF_INET, SOCK_STREAM)                      # _
