## socket-flags: Flags and options of sockets that other workloads leave out
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                          # 0
A: listen(l, 5)                                              # 0
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(l, NULL, NULL) -> c
A: setsockopt(c, SOL_SOCKET, SO_TIMESTAMP, 1)                # 0
A: send(s, "stamped", 0)                                     # 7
A: recvmsg(c, {msg_iov=[100], msg_controllen=64}, 0)         # 7
A: send(s, "dontroute", MSG_DONTROUTE)                       # 9
A: send(s, "confirm", 0x800)                                 # 7
A: send(s, "eor", MSG_EOR)                                   # 3
A: recv(c, 5, MSG_PEEK)                                      # 5
A: recv(c, 100, MSG_DONTWAIT)                                # 19
A: setsockopt(c, SOL_SOCKET, SO_PEEK_OFF, 0)                 # 0 if tcp_peek_off else EOPNOTSUPP
A: setsockopt(c, SOL_SOCKET, SO_RCVLOWAT, 10)                # 0
A: send(s, "short", 0)                                       # 5
A: poll([{c, POLLIN}], 0)                                    # 0
A: recv(c, 100, MSG_DONTWAIT)                                # 5
A: send(s, "a long one of bytes", 0)                         # 19
A: poll([{c, POLLIN}], 0)                                    # 1
A: recv(c, 3, MSG_WAITALL)                                   # 3
A: recvmmsg(c, [{msg_iov=[2]}, {msg_iov=[100]}, {msg_iov=[1]}], MSG_WAITFORONE) # 2
A: sendmmsg(s, [{msg_iov=["m1"]}, {msg_iov=["m2", "m3"]}], 0) # 2
A: recvmmsg(c, [{msg_iov=[2], msg_namelen=16}], 0, {1, 0})   # 1
A: recvmmsg(c, [{msg_iov=[2]}], 0, {0, 1000000000})          # EINVAL
A: recvmmsg(c, [{msg_iov=[2]}, {msg_iov=[20]}], MSG_DONTWAIT, {0, 0}) # 1
A: recvmmsg(c, [], 0)                                        # 0
A: ioctl(s, SIOCOUTQ)                                        # 0
A: ioctl(l, SIOCOUTQ)                                        # EINVAL
A: ioctl(c, SIOCATMARK)                                      # 0
A: ioctl(s, 0x8912, 0)                                       # EFAULT
A: ioctl(s, 0x89ff, 0)                                       # EFAULT
A: setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, 1)                 # 0
A: send(s, "plain", 0)                                       # 5
A: getsockopt(s, SOL_IP, IP_MTU)                             # 0
A: getsockopt(l, SOL_IP, IP_MTU)                             # ENOTCONN
A: socket(AF_INET, SOCK_DGRAM) -> d
A: getsockopt(d, SOL_IP, IP_MTU)                             # ENOTCONN
A: connect(d, inet("127.0.0.1", 9))                          # 0
A: getsockopt(d, SOL_IP, IP_MTU)                             # 0
A: getsockopt(s, SOL_IP, IP_OPTIONS)                         # 0
A: setsockopt(s, SOL_IP, IP_TTL, 0)                          # EINVAL
A: setsockopt(s, SOL_IP, IP_TTL, 256)                        # EINVAL
A: setsockopt(s, SOL_IP, IP_TTL, "")                         # EINVAL
A: setsockopt(s, SOL_IP, IP_TTL, "\x09")                     # 0
A: getsockopt(s, SOL_IP, IP_TTL)                             # 0
A: getsockopt(s, SOL_IP, IP_TTL, 1)                          # 0
A: setsockopt(s, SOL_IP, IP_PKTINFO, 1)                      # 0
A: setsockopt(s, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\0\0\x64\x7f\0\0\x01") # EPROTO
A: setsockopt(s, SOL_IP, IP_HDRINCL, 1)                      # ENOPROTOOPT
A: setsockopt(s, SOL_IP, 99, 1)                              # ENOPROTOOPT
A: getsockopt(s, SOL_IP, 99)                                 # ENOPROTOOPT
A: setsockopt(s, 99, 1, 1)                                   # ENOPROTOOPT
A: getsockopt(s, 99, 1)                                      # EOPNOTSUPP
A: getsockopt(s, SOL_SOCKET, SO_DOMAIN)                      # 0
A: getsockopt(s, SOL_SOCKET, SO_PEERNAME)                    # EINVAL
A: getsockopt(l, SOL_SOCKET, SO_PEERNAME)                    # ENOTCONN
A: getsockopt(s, SOL_SOCKET, SO_PEERCRED)                    # 0
A: getsockopt(s, SOL_SOCKET, SO_PEERGROUPS)                  # ENODATA
A: getsockopt(s, SOL_SOCKET, SO_MEMINFO)                     # 0
A: getsockopt(s, SOL_SOCKET, SO_INCOMING_CPU)                # 0
A: getsockopt(s, SOL_SOCKET, SO_COOKIE, 8)                   # 0
A: getsockopt(s, SOL_SOCKET, SO_COOKIE, 8)                   # 0
A: setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, 1)                # 0
A: setsockopt(s, SOL_SOCKET, SO_RCVBUF, 1000000)             # 0
A: getsockopt(s, SOL_SOCKET, SO_RCVBUF)                      # 0
A: setsockopt(s, SOL_SOCKET, SO_SNDBUF, -1)                  # 0
A: getsockopt(s, SOL_SOCKET, SO_SNDBUF)                      # 0
A: setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, 1000000)        # 0
spawn U uid=1000 gid=1000
U: socket(AF_INET, SOCK_DGRAM) -> u
U: setsockopt(u, SOL_SOCKET, SO_RCVBUFFORCE, 1000000)        # EPERM
U: setsockopt(u, SOL_SOCKET, SO_MARK, 1)                     # EPERM
U: setsockopt(u, SOL_SOCKET, SO_PRIORITY, 7)                 # EPERM
U: setsockopt(u, SOL_SOCKET, SO_DEBUG, 1)                    # EACCES
U: setsockopt(u, SOL_SOCKET, SO_BUSY_POLL, 10)               # 0 if busy_poll_for_all else EPERM
U: setsockopt(u, SOL_IP, IP_TRANSPARENT, 1)                  # EPERM
U: setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, "short")           # EINVAL
U: setsockopt(u, SOL_SOCKET, SO_LINGER, 1)                   # EINVAL
U: setsockopt(u, SOL_SOCKET, SO_PASSCRED, 1)                 # EOPNOTSUPP if scm_flags_in_sock else 0
U: getsockopt(u, SOL_SOCKET, SO_PASSCRED)                    # EOPNOTSUPP if scm_flags_in_sock else 0
U: bind(u, inet("127.0.0.1", 7000))                          # 0
U: sendto(u, "self", 0, inet("127.0.0.1", 7000))             # 4
U: recvmsg(u, {msg_iov=[10], msg_controllen=64}, 0)          # 4
U: setsockopt(u, SOL_SOCKET, SO_RXQ_OVFL, 1)                 # 0
U: setsockopt(u, SOL_SOCKET, SO_RCVMARK, 1)                  # 0
U: setsockopt(u, SOL_SOCKET, SO_RCVBUF, 0)                   # 0
repeat 6 {
  U: sendto(u, "o" * 500, 0, inet("127.0.0.1", 7000))        # 500
}
repeat 3 {
  U: recvmsg(u, {msg_iov=[10], msg_controllen=64}, MSG_DONTWAIT)
}
U: sendto(u, "o" * 500, 0, inet("127.0.0.1", 7000))          # 500
U: recvmsg(u, {msg_iov=[10], msg_controllen=64}, MSG_DONTWAIT) # 10
U: setsockopt(u, SOL_UDP, UDP_SEGMENT, 0)                    # 0
U: setsockopt(u, SOL_UDP, UDP_GRO, 1)                        # 0
U: setsockopt(u, SOL_UDP, 99, 1)                             # ENOPROTOOPT
U: getsockopt(u, SOL_UDP, UDP_CORK)                          # 0
U: socketpair(AF_UNIX, SOCK_STREAM, 0, [p, q])               # 0
U: setsockopt(q, SOL_SOCKET, SO_PEEK_OFF, 2)                 # 0
U: send(p, "0123456789", 0)                                  # 10
U: recv(q, 3, MSG_PEEK)                                      # 3
U: recv(q, 3, MSG_PEEK)                                      # 3
U: recv(q, 3, 0)                                             # 3
U: recv(q, 3, MSG_PEEK)                                      # 2
U: ioctl(p, TIOCOUTQ)                                        # 0
U: sendmsg(p, {msg_iov=["a", "", "b"]}, MSG_EOR|MSG_MORE)    # 2
U: readv(q, [3, 3, 100])                                     # 9
U: setsockopt(p, SOL_SOCKET, SO_TIMESTAMP, 1)                # 0
