## sendmmsg-left: sendmmsg() ends behind a message of which something is left, as MSG_PROBE leaves all but headers; marks of packets
A: socket(AF_INET, SOCK_DGRAM) -> d
A: bind(d, inet("127.0.0.1", 7000))                                                      # 0
A: connect(d, inet("127.0.0.1", 7000))                                                   # 0
A: sendmmsg(d, [{msg_iov=["abc"]}, {msg_iov=["d"]}], MSG_PROBE)                          # 1 [3]
A: sendmmsg(d, [{msg_iov=[""]}, {msg_iov=["d"]}], MSG_PROBE)                             # 2 [0, 1]
A: recv(d, 10, MSG_DONTWAIT)                                                             # EAGAIN
A: sendmmsg(d, [{msg_iov=["abc"]}, {msg_iov=["d"]}], 0)                                  # 2 [3, 1]
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [x, y])                                            # 0
A: sendmmsg(x, [{msg_iov=["abc"]}, {msg_iov=["d"]}], MSG_PROBE)                          # 2 [3, 1]
A: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> r
A: connect(r, inet("127.0.0.1", 0))                                                      # 0
A: sendmmsg(r, [{msg_iov=["ab"]}, {msg_iov=["de"]}], MSG_PROBE)                          # 2 [2, 2]
A: sendmmsg(r, [{msg_iov=["abc"]}, {msg_iov=["de"]}], MSG_PROBE)                         # 1 [3]
sysctl("net/ipv4/ping_group_range", "0 2147483647")
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) -> p
A: connect(p, inet("127.0.0.1", 0))                                                      # 0
A: sendmmsg(p, [{msg_iov=["\x08\0\0\0\0\0\0\1"]}, {msg_iov=["\x08\0\0\0\0\0\0\1"]}], MSG_PROBE)    # 2 [8, 8]
A: sendmmsg(p, [{msg_iov=["\x08\0\0\0\0\0\0\1x"]}, {msg_iov=["\x08\0\0\0\0\0\0\1"]}], MSG_PROBE)   # 1 [9]
## a mark goes with each packet: of raw sockets over IPv6, of echoes and of UDP as raw sockets see them; an answer has none
A: socket(AF_INET6, SOCK_RAW, 253) -> s
A: setsockopt(s, SOL_SOCKET, SO_MARK, 7)                                                 # 0
A: setsockopt(s, SOL_SOCKET, SO_RCVMARK, 1)                                              # 0
A: sendto(s, "marked", 0, inet6("::1", 0))                                               # 6
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, 0)                                     # 6 "marked"
A: setsockopt(p, SOL_SOCKET, SO_MARK, 8)                                                 # 0
A: setsockopt(r, SOL_SOCKET, SO_RCVMARK, 1)                                              # 0
A: send(p, "\x08\0\0\0\0\0\0\1", 0)                                                      # 8
A: recvmsg(r, {msg_iov=[50], msg_controllen=100}, 0)                                     # 28
A: recvmsg(r, {msg_iov=[50], msg_controllen=100}, 0)                                     # 28
A: socket(AF_INET, SOCK_RAW, IPPROTO_UDP) -> u
A: setsockopt(u, SOL_SOCKET, SO_RCVMARK, 1)                                              # 0
A: setsockopt(d, SOL_SOCKET, SO_MARK, 9)                                                 # 0
A: send(d, "x", 0)                                                                       # 1
A: recvmsg(u, {msg_iov=[50], msg_controllen=100}, 0)                                     # 29
A: sendmsg(d, {msg_iov=["y"], msg_control=[{SOL_SOCKET, SO_MARK, "\0\0\0\0"}]}, 0)       # 1
A: recvmsg(u, {msg_iov=[50], msg_controllen=100}, 0)                                     # 29
## options of exactly four bytes, and one below 0
A: setsockopt(s, SOL_IPV6, IPV6_UNICAST_IF, "\0\0\0\1\0\0\0\0")                          # EINVAL
A: setsockopt(s, SOL_IPV6, IPV6_UNICAST_IF, "\0\0\0\1")                                  # 0
A: socket(AF_INET, SOCK_STREAM) -> t
A: setsockopt(t, SOL_TCP, TCP_WINDOW_CLAMP, -1)                                          # 0
A: getsockopt(t, SOL_TCP, TCP_WINDOW_CLAMP)                                              # 0
## a socket by its name only, with O_PATH
A: open("/proc/self/fd/1", O_PATH) -> o
A: fstat(o)                                                                              # 0
