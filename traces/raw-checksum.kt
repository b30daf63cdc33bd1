## raw-checksum: raw sockets over IPv6 that want a checksum put one in, and take no packet whose own is wrong; packets lost are counted
A: socket(AF_INET6, SOCK_RAW, 253) -> r
A: setsockopt(r, SOL_RAW, IPV6_CHECKSUM, 2)                      # 0
A: socket(AF_INET6, SOCK_RAW, 253) -> q
A: setsockopt(r, SOL_SOCKET, SO_RXQ_OVFL, 1)                     # 0
## one that is put in is right: both take it
A: sendto(r, "\1\2\0\0\5\6\7\x08", 0, inet6("::1", 0))              # 8
A: recv(q, 100, MSG_DONTWAIT)                                    # 8
A: recvmsg(r, {msg_iov=[100], msg_controllen=100}, MSG_DONTWAIT) # 8
## what is written by hand is wrong: who wants a checksum drops it, who wants none has it
A: sendto(q, "\1\2\3\4\5\6\7\x08", 0, inet6("::1", 0))              # 8
A: recv(q, 100, MSG_DONTWAIT)                                    # 8
A: recv(r, 100, MSG_DONTWAIT)                                    # EAGAIN
A: sendto(q, "", 0, inet6("::1", 0))                             # 0
A: recv(q, 100, MSG_DONTWAIT)                                    # 0
A: recv(r, 100, MSG_DONTWAIT)                                    # EAGAIN
## or it is right by hand
A: sendto(q, "\xff\x5a\xff\xa1", 0, inet6("::1", 0))                # 4
A: recv(q, 100, MSG_DONTWAIT)                                    # 4
A: recv(r, 100, MSG_DONTWAIT)                                    # 4
## the next one says how many were lost before it
A: sendto(r, "\1\2\3\4\5\6\7\x08", 0, inet6("::1", 0))              # 8
A: recvmsg(r, {msg_iov=[100], msg_controllen=100}, MSG_DONTWAIT) # 8
A: recv(q, 100, MSG_DONTWAIT)                                    # 8
## where there is no place for two bytes, nothing is sent
A: sendto(r, "abc", 0, inet6("::1", 0))                          # EINVAL
A: sendto(r, "", 0, inet6("::1", 0))                             # EINVAL
A: setsockopt(r, SOL_RAW, IPV6_CHECKSUM, 3)                      # EINVAL
A: setsockopt(r, SOL_RAW, IPV6_CHECKSUM, -1)                     # 0
A: sendto(r, "", 0, inet6("::1", 0))                             # 0
A: recv(r, 100, MSG_DONTWAIT)                                    # 0
A: recv(q, 100, MSG_DONTWAIT)                                    # 0
## ICMPv6 always has one, but where SOL_RAW takes it away
A: socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) -> i
A: socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) -> j
A: setsockopt(i, SOL_IPV6, IPV6_CHECKSUM, -1)                    # EINVAL
A: setsockopt(i, SOL_RAW, IPV6_CHECKSUM, -1)                     # 0
A: sendto(i, "\x80\0\1\1\0\1\0\1", 0, inet6("::1", 0))           # 8
A: recv(i, 100, MSG_DONTWAIT)                                    # 8
A: recv(j, 100, MSG_DONTWAIT)                                    # EAGAIN
A: sendto(j, "\x80\0\1\1\0\1\0\1", 0, inet6("::1", 0))           # 8
A: recv(j, 100, MSG_DONTWAIT)                                    # 8
A: recv(j, 100, MSG_DONTWAIT)                                    # 8
## packets that find no room are counted, too
A: socket(AF_INET, SOCK_RAW, 253) -> v
A: setsockopt(v, SOL_SOCKET, SO_RXQ_OVFL, 1)                     # 0
A: setsockopt(v, SOL_SOCKET, SO_RCVBUF, 1)                       # 0
repeat 5 {
A: sendto(v, "x" * 500, 0, inet("127.0.0.1", 0))                 # 500
}
A: recvmsg(v, {msg_iov=[100], msg_controllen=100}, MSG_DONTWAIT) # 100
A: recvmsg(v, {msg_iov=[100], msg_controllen=100}, MSG_DONTWAIT) # 100
A: recvmsg(v, {msg_iov=[100], msg_controllen=100}, MSG_DONTWAIT) # EAGAIN
A: sendto(v, "after", 0, inet("127.0.0.1", 0))                   # 5
A: recvmsg(v, {msg_iov=[100], msg_controllen=100}, MSG_DONTWAIT) # 25
## but echoes never say so, nor their mark
sysctl("net/ipv4/ping_group_range", "0 2147483647")
A: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) -> p
A: setsockopt(p, SOL_SOCKET, SO_RXQ_OVFL, 1)                     # 0
A: setsockopt(p, SOL_SOCKET, SO_RCVMARK, 1)                      # 0
A: setsockopt(p, SOL_SOCKET, SO_RCVBUF, 1)                       # 0
repeat 5 {
A: sendto(p, "\x08\0\0\0\0\0\0\1" + "x" * 500, 0, inet("127.0.0.1", 0))    # 508
}
A: recv(p, 100, MSG_DONTWAIT)                                    # 100
A: recv(p, 100, MSG_DONTWAIT)                                    # 100
A: recv(p, 100, MSG_DONTWAIT)                                    # EAGAIN
A: sendto(p, "\x08\0\0\0\0\0\0\2", 0, inet("127.0.0.1", 0))            # 8
A: recvmsg(p, {msg_iov=[100], msg_controllen=100}, MSG_DONTWAIT) # 8
