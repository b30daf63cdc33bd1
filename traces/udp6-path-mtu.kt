## udp6-path-mtu: a datagram that is too long for a packet of IPv6, and who is told how long it may be
A: socket(AF_INET6, SOCK_DGRAM) -> d
A: bind(d, inet6("::1", 7000))                                                           # 0
A: socket(AF_INET6, SOCK_DGRAM) -> s
A: setsockopt(s, SOL_IPV6, IPV6_RECVPATHMTU, 1)                                          # 0
A: connect(s, inet6("::1", 7000))                                                        # 0
A: getsockopt(s, SOL_IPV6, IPV6_MTU)                                                     # 0 65536
## IPV6_MTU_DISCOVER alone fails, and says nothing
A: setsockopt(s, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO)                          # 0
A: send(s, "x" * 65488, 0)                                                               # 65488
A: recv(d, 10, MSG_TRUNC)                                                                # 65488
A: send(s, "x" * 65489, 0)                                                               # EMSGSIZE
A: recvmsg(s, {msg_iov=[10], msg_namelen=28, msg_controllen=100}, MSG_DONTWAIT)          # EAGAIN
## IPV6_DONTFRAG keeps it for the next read, in a message without a byte: once, and the last one only
A: setsockopt(s, SOL_IPV6, IPV6_DONTFRAG, 1)                                             # 0
A: send(s, "x" * 65489, 0)                                                               # EMSGSIZE
A: poll([{s, POLLIN}], 0)                                                                # 0
A: send(s, "x" * 65500, 0)                                                               # EMSGSIZE
A: recvmsg(s, {msg_iov=[10], msg_namelen=28, msg_controllen=100}, MSG_PEEK)              # 0 ""
A: recvmsg(s, {msg_iov=[10], msg_namelen=28, msg_controllen=100}, MSG_DONTWAIT)          # EAGAIN
## before what is in the queue; with little room, it is lost
A: sendto(d, "data", 0, inet6("::1", 7000))                                              # 4
A: send(s, "x" * 65500, 0)                                                               # EMSGSIZE
A: recvmsg(s, {msg_iov=[10], msg_controllen=20}, MSG_DONTWAIT)                           # 0 ""
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_DONTWAIT)                          # EAGAIN
## whoever takes the option away is not told; nor does the error queue have it, but its own error
A: send(s, "x" * 65500, 0)                                                               # EMSGSIZE
A: setsockopt(s, SOL_IPV6, IPV6_RECVPATHMTU, 0)                                          # 0
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_DONTWAIT)                          # EAGAIN
A: setsockopt(s, SOL_IPV6, IPV6_RECVPATHMTU, 1)                                          # 0
A: setsockopt(s, SOL_IPV6, IPV6_RECVERR, 1)                                              # 0
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE)                          # EAGAIN
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_DONTWAIT)                          # 0 ""
A: send(s, "x" * 65500, 0)                                                               # EMSGSIZE
A: recvmsg(s, {msg_iov=[10], msg_namelen=28, msg_controllen=100}, MSG_ERRQUEUE)          # 0 ""
A: recv(s, 10, 0)                                                                        # 0 ""
## held back, by the interface that was asked for, and to a group
A: socket(AF_INET6, SOCK_DGRAM) -> t
A: setsockopt(t, SOL_IPV6, IPV6_RECVPATHMTU, 1)                                          # 0
A: setsockopt(t, SOL_IPV6, IPV6_DONTFRAG, 1)                                             # 0
A: setsockopt(t, SOL_IPV6, IPV6_UNICAST_IF, 0x1000000)                                   # 0
A: sendto(t, "x" * 60000, MSG_MORE, inet6("::1", 7000))                                  # 60000
A: sendto(t, "x" * 6000, MSG_MORE, inet6("::1", 7000))                                   # EMSGSIZE
A: recvmsg(t, {msg_iov=[10], msg_namelen=28, msg_controllen=100}, 0)                     # 0 ""
A: sendto(t, "after", 0, inet6("::1", 7000))                                             # 5
A: recv(d, 10, MSG_DONTWAIT)                                                             # 4 "data"
A: recv(d, 10, MSG_DONTWAIT)                                                             # 5 "after"
## IPv4 never says so
A: sendto(t, "x" * 65508, 0, inet6("::ffff:127.0.0.1", 7000))                            # EMSGSIZE
A: recv(t, 10, MSG_DONTWAIT)                                                             # EAGAIN
