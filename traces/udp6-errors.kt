## udp6-errors: what an AF_INET6 socket hears of datagrams that nobody took: IPV6_RECVERR, MSG_ERRQUEUE
A: socket(AF_INET6, SOCK_DGRAM) -> a
A: setsockopt(a, SOL_IPV6, IPV6_RECVERR, 1)          # 0
A: setsockopt(a, SOL_IPV6, IPV6_RECVPKTINFO, 1)      # 0
A: setsockopt(a, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)     # 0
A: bind(a, inet6("::", 6000))                        # 0
A: sendto(a, "lost", 0, inet6("::1", 6001))          # 4
A: sendto(a, "again", 0, inet6("::1", 6002))         # ECONNREFUSED
A: recvmsg(a, {msg_iov=[2], msg_namelen=28, msg_controllen=200}, MSG_ERRQUEUE)           # 2 "lo"
A: recvmsg(a, {msg_iov=[100]}, MSG_ERRQUEUE)         # EAGAIN
## an error quotes 1232 bytes
A: sendto(a, "x" * 3000, 0, inet6("::1", 6001))      # 3000
A: poll([{a, POLLIN}], 0)                            # 1
A: recvmsg(a, {msg_iov=[4000], msg_namelen=28, msg_controllen=200}, MSG_ERRQUEUE)        # 1184
A: getsockopt(a, SOL_SOCKET, SO_ERROR)               # 0 0
## too long, or too long to go in one piece
A: sendto(a, "x" * 65528, 0, inet6("::1", 6001))     # EMSGSIZE
A: recvmsg(a, {msg_iov=[100], msg_namelen=28, msg_controllen=20}, MSG_ERRQUEUE)          # 0 ""
A: setsockopt(a, SOL_IPV6, IPV6_DONTFRAG, 1)         # 0
A: sendto(a, "x" * 65489, 0, inet6("::1", 6001))     # EMSGSIZE
A: setsockopt(a, SOL_IPV6, IPV6_RECVERR, 0)          # 0
A: recvmsg(a, {msg_iov=[100]}, MSG_ERRQUEUE)         # EAGAIN
## errors of IPv4 are told in IPv6 terms
A: setsockopt(a, SOL_IP, IP_RECVERR, 1)              # 0
A: sendto(a, "lost", 0, inet("127.0.0.1", 6001))     # 4
A: getsockopt(a, SOL_SOCKET, SO_ERROR)               # 0 111
A: sendto(a, "x" * 65508, 0, inet("127.0.0.1", 6001))    # EMSGSIZE
A: recvmsg(a, {msg_iov=[100], msg_namelen=28, msg_controllen=200}, MSG_ERRQUEUE)         # 4 "lost"
A: recvmsg(a, {msg_iov=[100], msg_namelen=28, msg_controllen=200}, MSG_ERRQUEUE)         # 0 ""
## connected and corked
A: setsockopt(a, SOL_IPV6, IPV6_RECVERR, 1)          # 0
A: connect(a, inet6("::1", 6001))                    # 0
A: write(a, "x")                                     # 1
A: write(a, "y")                                     # ECONNREFUSED
A: setsockopt(a, SOL_UDP, UDP_CORK, 1)               # 0
A: write(a, "corked ")                               # 7
A: write(a, "more")                                  # 4
A: setsockopt(a, SOL_UDP, UDP_CORK, 0)               # 0
A: recvmsg(a, {msg_iov=[100], msg_namelen=28, msg_controllen=200}, MSG_ERRQUEUE)         # 1 "x"
A: recvmsg(a, {msg_iov=[100], msg_namelen=28, msg_controllen=200}, MSG_ERRQUEUE)         # 11 "corked more"
