## inet-interfaces: the device of a packet: IP_MULTICAST_IF, IP_UNICAST_IF, IP_PKTINFO, SO_BINDTODEVICE and their likes
A: socket(AF_INET, SOCK_DGRAM) -> r
A: bind(r, inet("0.0.0.0", 5007))                  # 0
A: setsockopt(r, SOL_IP, IP_PKTINFO, 1)            # 0
A: setsockopt(r, SOL_IP, IP_RECVTTL, 1)            # 0
A: socket(AF_INET, SOCK_DGRAM) -> s
## a group has no route: without a device nothing goes there
A: sendto(s, "all", 0, inet("224.1.1.1", 5007))    # ENETUNREACH
A: setsockopt(s, SOL_IP, IP_MULTICAST_IF, "\x7f\x00\x00\x01")   # 0
A: sendto(s, "nobody", 0, inet("224.1.1.1", 5007)) # 6
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # EAGAIN
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\x01\x01\x01\x7f\x00\x00\x01")   # 0
A: sendto(s, "all", 0, inet("224.1.1.1", 5007))    # 3
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 3
## as a struct ip_mreq, and as a struct ip_mreqn, whose index counts: then no address is a source
A: setsockopt(s, SOL_IP, IP_MULTICAST_IF, "\x00\x00\x00\x00\x7f\x00\x00\x02")     # 0
A: sendto(s, "mreq", 0, inet("224.1.1.1", 5007))   # 4
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 4
A: setsockopt(s, SOL_IP, IP_MULTICAST_IF, "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00")   # 0
A: setsockopt(s, SOL_IP, IP_MULTICAST_TTL, 7)      # 0
A: sendto(s, "mreqn", 0, inet("224.1.1.1", 5007))  # 5
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 5
A: sendto(s, "all hosts", 0, inet("224.0.0.1", 5007))   # 9
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 9
A: setsockopt(s, SOL_IP, IP_MULTICAST_IF, "\x0a\x00\x00\x01")   # EADDRNOTAVAIL
A: setsockopt(s, SOL_IP, IP_MULTICAST_IF, "\x00\x00\x00\x00\x0a\x00\x00\x01\x01\x00\x00\x00")   # 0
A: sendto(s, "no source of ours", 0, inet("224.1.1.1", 5007))   # ENETUNREACH
A: setsockopt(s, SOL_IP, IP_MULTICAST_IF, "\x00\x00\x00\x00")   # 0
A: sendto(s, "all", 0, inet("224.1.1.1", 5007))    # ENETUNREACH
## IP_PKTINFO: device and source of one packet
A: sendmsg(s, {msg_name=inet("224.1.1.1", 5007), msg_iov=["by index"], msg_control=[{SOL_IP, IP_PKTINFO, "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}]}, 0)   # 8
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 8
A: sendmsg(s, {msg_name=inet("224.1.1.1", 5007), msg_iov=["by source"], msg_control=[{SOL_IP, IP_PKTINFO, "\x00\x00\x00\x00\x7f\x00\x00\x03\x00\x00\x00\x00"}]}, 0)  # 9
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 9
A: sendmsg(s, {msg_name=inet("10.1.1.1", 5007), msg_iov=["away"], msg_control=[{SOL_IP, IP_PKTINFO, "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}]}, 0)   # 4
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 4
A: sendmsg(s, {msg_name=inet("10.1.1.1", 5007), msg_iov=["away"], msg_control=[{SOL_IP, IP_PKTINFO, "\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}]}, 0)   # ENODEV
A: sendmsg(s, {msg_name=inet("127.0.0.1", 5007), msg_iov=["from 10.0.0.1"], msg_control=[{SOL_IP, IP_PKTINFO, "\x01\x00\x00\x00\x0a\x00\x00\x01\x00\x00\x00\x00"}]}, 0)   # ENETUNREACH
## IP_UNICAST_IF: what is nobody's is on the link; nobody there means no answer at all
A: setsockopt(s, SOL_IP, IP_UNICAST_IF, "\x00\x00\x00\x01")    # 0
A: sendto(s, "x", 0, inet("10.1.1.1", 5007))       # 1
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 1
A: sendto(s, "y", 0, inet("127.0.0.9", 5007))      # 1
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 1
A: sendto(s, "z", 0, inet("0.1.1.1", 5007))        # 1
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 1
A: sendto(s, "z", 0, inet("224.1.1.1", 5007))      # ENETUNREACH
A: setsockopt(s, SOL_IP, IP_RECVERR, 1)            # 0
A: sendto(s, "x", 0, inet("10.1.1.1", 5008))       # 1
A: recvmsg(s, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_ERRQUEUE|MSG_DONTWAIT)   # EAGAIN
A: sendto(s, "x", 0, inet("255.255.255.255", 5007))    # EACCES
A: setsockopt(s, SOL_SOCKET, SO_BROADCAST, 1)      # 0
A: sendto(s, "to all", 0, inet("255.255.255.255", 5007))   # 6
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 6
A: sendto(s, "to all", 0, inet("127.255.255.255", 5007))   # 6
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 6
A: connect(s, inet("10.1.1.1", 5007))              # 0
A: getsockname(s)                                  # 0
A: send(s, "connected", 0)                         # 9
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 9
A: send(s, "more ", MSG_MORE)                      # 5
A: send(s, "to come", 0)                           # 7
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 12
## a kernel without CONFIG_NETDEVICES binds to no device; TCP has no other way to name one
A: socket(AF_INET, SOCK_STREAM) -> t
A: setsockopt(t, SOL_SOCKET, SO_BINDTODEVICE, "lo")    # 0 if netdevices else ENOPROTOOPT
A: setsockopt(t, SOL_SOCKET, SO_BINDTOIFINDEX, 0)  # 0 if netdevices else ENOPROTOOPT
A: setsockopt(t, SOL_IP, IP_UNICAST_IF, "\x00\x00\x00\x01")    # 0
A: setsockopt(t, SOL_IP, IP_MULTICAST_IF, "\x7f\x00\x00\x01")  # EINVAL
A: connect(t, inet("10.1.1.1", 5007))              # ENETUNREACH
A: connect(t, inet("224.1.1.1", 5007))             # ENETUNREACH
A: close(t)                                        # 0
A: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> w
A: setsockopt(w, SOL_IP, IP_UNICAST_IF, "\x00\x00\x00\x01")    # 0
A: sendto(w, "\x08\x00\xf7\xff\x00\x00\x00\x00", 0, inet("10.1.1.1", 0))    # 8
A: recv(w, 100, MSG_DONTWAIT)                      # 28
A: recv(w, 100, MSG_DONTWAIT)                      # EAGAIN
A: setsockopt(w, SOL_IP, IP_MULTICAST_IF, "\x7f\x00\x00\x01")  # 0
A: sendto(w, "\x08\x00\xf7\xff\x00\x00\x00\x00", 0, inet("224.1.1.1", 0))   # 8
A: recv(w, 100, MSG_DONTWAIT)                      # 28
## IPv6: the loopback has no route but that to ::1
A: socket(AF_INET6, SOCK_DGRAM) -> s6
A: setsockopt(s6, SOL_IPV6, IPV6_MULTICAST_IF, 1)  # 0
A: sendto(s6, "x", 0, inet6("ff02::1", 5007))      # ENETUNREACH
A: sendto(s6, "x", 0, inet6("ff05::1", 5007))      # ENETUNREACH
A: setsockopt(s6, SOL_IPV6, IPV6_UNICAST_IF, "\x00\x00\x00\x01")   # 0
A: sendto(s6, "x", 0, inet6("fd00::1", 5007))      # ENETUNREACH
A: sendto(s6, "x", 0, inet6("fe80::1", 5007))      # ENETUNREACH
A: connect(s6, inet6("fd00::1", 5007))             # ENETUNREACH
A: setsockopt(s6, SOL_IPV6, IPV6_UNICAST_IF, 0)    # 0
A: sendto(s6, "x", 0, inet6("::ffff:10.1.1.1", 5007))  # ENETUNREACH
A: setsockopt(s6, SOL_IP, IP_UNICAST_IF, "\x00\x00\x00\x01")   # 0
A: sendto(s6, "x", 0, inet6("::ffff:10.1.1.1", 5007))  # 1
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 1
A: setsockopt(s6, SOL_IP, IP_MULTICAST_IF, "\x7f\x00\x00\x01") # 0
A: sendto(s6, "x", 0, inet6("::ffff:224.1.1.1", 5007)) # 1
A: recvmsg(r, {msg_iov=[100], msg_namelen=16, msg_controllen=200}, MSG_DONTWAIT)   # 1
