## udp-held-limits: what is held back has the mark that it was begun with; over IPv6 hop limit and traffic class, too, over IPv4 the TTL of its end
A: socket(AF_INET6, SOCK_DGRAM) -> s
A: bind(s, inet6("::1", 7000))                                                   # 0
A: connect(s, inet6("::1", 7000))                                                # 0
A: setsockopt(s, SOL_IPV6, IPV6_RECVTCLASS, 1)                                   # 0
A: setsockopt(s, SOL_IPV6, IPV6_RECVHOPLIMIT, 1)                                 # 0
A: setsockopt(s, SOL_SOCKET, SO_RCVMARK, 1)                                      # 0
A: send(s, "held ", MSG_MORE)                                                    # 5
A: setsockopt(s, SOL_IPV6, IPV6_TCLASS, 0x10)                                    # 0
A: setsockopt(s, SOL_IPV6, IPV6_UNICAST_HOPS, 5)                                 # 0
A: setsockopt(s, SOL_SOCKET, SO_MARK, 7)                                         # 0
A: send(s, "back", 0)                                                            # 4
A: recvmsg(s, {msg_iov=[300], msg_controllen=100}, MSG_DONTWAIT)                 # 9 "held back"
A: send(s, "now", 0)                                                             # 3
A: recvmsg(s, {msg_iov=[300], msg_controllen=100}, MSG_DONTWAIT)                 # 3 "now"
A: socket(AF_INET, SOCK_DGRAM) -> d
A: bind(d, inet("127.0.0.1", 7000))                                              # 0
A: connect(d, inet("127.0.0.1", 7000))                                           # 0
A: setsockopt(d, SOL_IP, IP_RECVTTL, 1)                                          # 0
A: setsockopt(d, SOL_SOCKET, SO_RCVMARK, 1)                                      # 0
A: send(d, "held ", MSG_MORE)                                                    # 5
A: setsockopt(d, SOL_IP, IP_TTL, 5)                                              # 0
A: setsockopt(d, SOL_SOCKET, SO_MARK, 7)                                         # 0
A: send(d, "back", 0)                                                            # 4
A: recvmsg(d, {msg_iov=[300], msg_controllen=100}, MSG_DONTWAIT)                 # 9 "held back"
