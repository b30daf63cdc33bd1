## inet-pktinfo: source and device by IP_PKTINFO, over IPv6 too
A: socket(AF_INET, SOCK_DGRAM) -> r                # 0
A: bind(r, inet("0.0.0.0", 5007))                  # 0
A: setsockopt(r, SOL_IP, IP_PKTINFO, 1)            # 0
A: socket(AF_INET, SOCK_DGRAM) -> s                # 1
A: sendmsg(s, {msg_name=inet("127.0.0.2", 5007), msg_iov=["x"], msg_control=[{SOL_IP, IP_PKTINFO, "\x01\x00\x00\x00\x7f\x00\x00\x03\x00\x00\x00\x00"}]}) # 1
A: recvmsg(r, {msg_iov=[10], msg_controllen=64, msg_namelen=28}, MSG_DONTWAIT) # 1
A: socket(AF_INET6, SOCK_DGRAM) -> t               # 2
A: sendmsg(t, {msg_name=inet6("::ffff:127.0.0.1", 5007), msg_iov=["x"], msg_control=[{SOL_IPV6, IPV6_PKTINFO, "\x00" * 20}]}) # EINVAL
A: recvmsg(r, {msg_iov=[10], msg_controllen=64, msg_namelen=28}, MSG_DONTWAIT) # EAGAIN
