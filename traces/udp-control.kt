## udp-control: what a datagram tells besides its bytes, and the error queue
A: socket(AF_INET, SOCK_DGRAM) -> r
A: bind(r, inet("0.0.0.0", 6000))                    # 0
A: socket(AF_INET, SOCK_DGRAM) -> s
A: bind(s, inet("127.0.0.1", 6001))                  # 0
A: sendto(s, "before", 0, inet("127.0.0.1", 6000))   # 6
A: setsockopt(r, SOL_IP, IP_PKTINFO, 1)              # 0
A: setsockopt(r, SOL_IP, IP_RECVTTL, 1)              # 0
A: setsockopt(r, SOL_IP, IP_RECVTOS, 1)              # 0
A: setsockopt(r, SOL_IP, IP_RECVORIGDSTADDR, 1)      # 0
## what came before was not asked where it came in
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, 0)        # 6 "before"
A: setsockopt(s, SOL_IP, IP_TTL, 7)                  # 0
A: setsockopt(s, SOL_IP, IP_TOS, 0x10)               # 0
A: sendto(s, "with", 0, inet("127.0.0.2", 6000))     # 4
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, 0)        # 4 "with"
## for one packet alone
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["own"], msg_control=[{SOL_IP, IP_TTL, "\x21\0\0\0"}, {SOL_IP, IP_TOS, "\x08"}]}, 0)        # 3
A: recvmsg(r, {msg_iov=[100], msg_controllen=200}, 0)        # 3 "own"
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["own"], msg_control=[{SOL_IP, IP_PKTINFO, "\0\0\0\0\x7f\0\0\x09\0\0\0\0"}]}, 0)    # 3
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=20}, 0)         # 3 "own"
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["x"], msg_control=[{SOL_IP, IP_TTL, "\0\0\0\0"}]}, 0)        # EINVAL
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["x"], msg_control=[{SOL_IP, IP_PKTINFO, "\0\0\0\0\x0a\0\0\x09\0\0\0\0"}]}, 0)    # ENETUNREACH
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["x"], msg_control=[{SOL_IP, IP_PKTINFO, "\x09\0\0\0\0\0\0\0\0\0\0\0"}]}, 0)      # ENODEV
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["x"], msg_control=[{SOL_IP, 99, ""}]}, 0)      # EINVAL
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["x"], msg_control=[{SOL_SOCKET, 99, ""}]}, 0)  # EINVAL
A: sendmsg(s, {msg_name=inet("127.0.0.1", 6000), msg_iov=["x"], msg_control=[{99, 99, ""}]}, 0)          # 1
A: recvmsg(r, {msg_iov=[100], msg_controllen=12}, 0) # 1 "x"
A: setsockopt(r, SOL_SOCKET, SO_TIMESTAMP, 1)        # 0
A: send(s, "x", 0)                                   # EDESTADDRREQ
A: sendto(s, "stamped", 0, inet("127.0.0.1", 6000))  # 7
A: recvmsg(r, {msg_iov=[100], msg_controllen=200}, 0)        # 7 "stamped"
A: setsockopt(r, SOL_SOCKET, SO_TIMESTAMPNS, 1)      # 0
A: sendto(s, "stamped", 0, inet("127.0.0.1", 6000))  # 7
A: recvmsg(r, {msg_iov=[100], msg_controllen=200}, 0)        # 7 "stamped"
## nobody there: with IP_RECVERR, an unconnected socket hears of it, and can ask what it was
A: setsockopt(s, SOL_IP, IP_RECVERR, 1)              # 0
A: sendto(s, "lost one", 0, inet("127.0.0.1", 7000)) # 8
A: getsockopt(s, SOL_SOCKET, SO_ERROR)               # 0 111
A: sendto(s, "lost two", 0, inet("127.0.0.1", 7001)) # 8
A: poll([{s, POLLIN}], 0)                            # 1
A: recvmsg(s, {msg_iov=[5], msg_namelen=16, msg_controllen=64}, MSG_ERRQUEUE)        # 5 "lost "
A: recv(s, 10, MSG_DONTWAIT)                         # ECONNREFUSED
A: recv(s, 10, MSG_DONTWAIT)                         # EAGAIN
A: recvmsg(s, {msg_iov=[100], msg_namelen=16, msg_controllen=64}, MSG_ERRQUEUE)      # 8 "lost two"
A: recvmsg(s, {msg_iov=[100]}, MSG_ERRQUEUE)         # EAGAIN
## too long: this machine's own error
A: sendto(s, "x" * 65510, 0, inet("127.0.0.1", 6000))        # EMSGSIZE
A: recvmsg(s, {msg_iov=[100], msg_namelen=16, msg_controllen=64}, MSG_ERRQUEUE)      # 0 ""
A: sendto(s, "lost", 0, inet("127.0.0.1", 7000))     # 4
## switched off, the queue is emptied; the socket's own error stays
A: setsockopt(s, SOL_IP, IP_RECVERR, 0)              # 0
A: sendto(s, "x", 0, inet("127.0.0.1", 6000))        # ECONNREFUSED
A: sendto(s, "x", 0, inet("127.0.0.1", 6000))        # 1
## groups: the loopback is all there is
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\0\0\x64\0\0\0\0")          # ENODEV
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\0\0\x64\x7f\0\0\x01")      # 0
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\0\0\x64\0\0\0\0\x01\0\0\0")        # EADDRINUSE
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\x7f\0\0\x01\x7f\0\0\x01")      # EINVAL
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\0\0\x65\0\0\0\0\x02\0\0\0")        # ENODEV
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\0\0")      # EINVAL
A: setsockopt(r, SOL_IP, IP_DROP_MEMBERSHIP, "\xe0\0\0\x65\x7f\0\0\x01")     # EADDRNOTAVAIL
A: setsockopt(r, SOL_IP, IP_DROP_MEMBERSHIP, "\xe0\0\0\x64\x7f\0\0\x01")     # 0
A: setsockopt(r, SOL_IP, IP_MULTICAST_IF, "\x7f\0\0\x01")    # 0
A: getsockopt(r, SOL_IP, IP_MULTICAST_IF)            # 0
A: setsockopt(r, SOL_IP, IP_MULTICAST_IF, "\x0a\0\0\x01")    # EADDRNOTAVAIL
A: setsockopt(r, SOL_IP, IP_MULTICAST_TTL, 9)        # 0
A: setsockopt(r, SOL_IP, IP_MTU_DISCOVER, 2)    # 0
