## udp-held-tos: a datagram that is held back has the TTL, type of service and mark that its first piece was given; without, the socket's
A: socket(AF_INET, SOCK_DGRAM) -> d
A: bind(d, inet("127.0.0.1", 7000))                                              # 0
A: connect(d, inet("127.0.0.1", 7000))                                           # 0
A: setsockopt(d, SOL_IP, IP_RECVTTL, 1)                                          # 0
A: setsockopt(d, SOL_IP, IP_RECVTOS, 1)                                          # 0
A: setsockopt(d, SOL_SOCKET, SO_RCVMARK, 1)                                      # 0
A: setsockopt(d, SOL_IP, IP_TOS, 0x10)                                           # 0
## Linux 6.12 asks the socket when it sends (__ip_make_skb()), 7.3 when it begins (ipcm_init_sk()).
A: send(d, "held ", MSG_MORE)                                                    # 5
A: setsockopt(d, SOL_IP, IP_TOS, 0x08)                                           # 0
A: send(d, "back", 0)                                                            # 4
A: recvmsg(d, {msg_iov=[300], msg_controllen=100}, MSG_DONTWAIT)                 # 9 "held back"
## What the first piece says itself holds on every kernel (ip_setup_cork()); what later ones say nobody reads.
A: sendmsg(d, {msg_iov=["own "], msg_control=[{SOL_IP, IP_TOS, "\x20\x00\x00\x00"}, {SOL_IP, IP_TTL, "\x09\x00\x00\x00"}, {SOL_SOCKET, SO_MARK, "\x05\x00\x00\x00"}]}, MSG_MORE) # 4
A: setsockopt(d, SOL_IP, IP_TOS, 0x04)                                           # 0
A: setsockopt(d, SOL_IP, IP_TTL, 33)                                             # 0
A: sendmsg(d, {msg_iov=["limits"], msg_control=[{SOL_IP, IP_TOS, "\x30\x00\x00\x00"}, {SOL_IP, IP_TTL, "\x03\x00\x00\x00"}]}, 0) # 6
A: recvmsg(d, {msg_iov=[300], msg_controllen=100}, MSG_DONTWAIT)                 # 10 "own limits"
## A source of its own.
A: setsockopt(d, SOL_UDP, UDP_CORK, 1)                                           # 0
A: sendmsg(d, {msg_iov=["from"], msg_control=[{SOL_IP, IP_PKTINFO, "\x00\x00\x00\x00\x7f\x00\x00\x05\x00\x00\x00\x00"}]}, 0) # 4
A: setsockopt(d, SOL_UDP, UDP_CORK, 0)                                           # 0
A: recvfrom(d, 100, MSG_DONTWAIT)                                                # EAGAIN
