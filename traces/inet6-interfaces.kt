## inet6-interfaces: device and source of IPv6 packets: IPV6_UNICAST_IF, IPV6_MULTICAST_IF, IPV6_PKTINFO
A: socket(AF_INET6, SOCK_DGRAM) -> r               # 0
A: bind(r, inet6("::", 5007))                      # 0
A: setsockopt(r, SOL_IPV6, IPV6_RECVPKTINFO, 1)    # 0
A: socket(AF_INET6, SOCK_DGRAM) -> s               # 1
## in the order of bytes of the network
A: setsockopt(s, SOL_IPV6, IPV6_UNICAST_IF, 0x01000000) # 0
A: getsockopt(s, SOL_IPV6, IPV6_UNICAST_IF)        # 0
A: setsockopt(s, SOL_IPV6, IPV6_UNICAST_IF, 0x05000000)    # EADDRNOTAVAIL
A: sendto(s, "x", 0, inet6("::1", 5007))           # 1
A: recvmsg(r, {msg_iov=[10], msg_controllen=64, msg_namelen=28}, MSG_DONTWAIT) # 1
## the loopback has no route but that to ::1
A: sendto(s, "x", 0, inet6("2001:db8::1", 5007))   # ENETUNREACH
A: setsockopt(s, SOL_IPV6, IPV6_MULTICAST_IF, 1)   # 0
A: setsockopt(s, SOL_IPV6, IPV6_MULTICAST_IF, 5)   # ENODEV
A: sendto(s, "x", 0, inet6("ff02::1", 5007))       # ENETUNREACH
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 15 + "\x01\x01\x00\x00\x00"}]}) # 1
A: recvmsg(r, {msg_iov=[10], msg_controllen=64, msg_namelen=28}, MSG_DONTWAIT) # 1
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 20}]}) # 1
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 16 + "\x07\x00\x00\x00"}]}) # ENODEV
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 19}]}) # EINVAL
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x20\x01" * 8 + "\x00\x00\x00\x00"}]}) # EINVAL
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\xfe\x80" + "\x00" * 18}]}) # EINVAL
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [r]}]}) # 1
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_TCLASS, "\x00\x01\x00\x00"}]}) # EINVAL
A: socket(AF_INET6, SOCK_RAW, 222) -> w            # 2
A: sendmsg(w, {msg_name=inet6("::1", 0), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 15 + "\x01\x01\x00\x00\x00"}]}) # 1
A: sendmsg(w, {msg_name=inet6("::1", 0), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 16 + "\x07\x00\x00\x00"}]}) # ENODEV
A: recv(w, 10, MSG_DONTWAIT)                       # 1
A: setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo\x00") # 0 if netdevices else ENOPROTOOPT
A: sendmsg(s, {msg_name=inet6("::1", 5007), msg_iov=["y"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 16 + "\x07\x00\x00\x00"}]}) # EINVAL if netdevices else ENODEV
