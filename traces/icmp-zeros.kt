## icmp-zeros: echoes of nothing but zeros, whose answer has the wrong checksum (known bug icmp-zero-checksum)
A: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) -> i
A: setsockopt(i, SOL_RAW, ICMP_FILTER, 0x100)                                  # 0
## the ordinary one: what is asked has 1 as its number
A: sendto(i, "\x08\0\xf7\xfe\0\0\0\1", 0, inet("127.0.0.1", 0))                # 8
A: recv(i, 100, 0)                                                             # 28
A: sendto(i, "\x08\0\xf7\xff\0\0\0\0", 0, inet("127.0.0.1", 0))                # 8
## the answer's bytes sum up to 0, not to 0xffff: its checksum should be that
A: recv(i, 100, MSG_PEEK|MSG_TRUNC)                                            # 28
A: recv(i, 100, 0)                                                             # 28
A: recv(i, 100, MSG_DONTWAIT)                                                  # EAGAIN
## longer, odd, and in pages
A: sendto(i, "\x08\0\xf7\xff\0\0\0\0" + "\0" * 57, 0, inet("127.0.0.1", 0))    # 65
A: recv(i, 100, 0)                                                             # 85
A: sendto(i, "\x08\0\xf7\xff\0\0\0\0" + "\0" * 30000, 0, inet("127.0.0.1", 0)) # 30008
A: recv(i, 28, MSG_TRUNC)                                                      # 30028
## a byte that is not 0 is enough
A: sendto(i, "\x08\0\xf6\xff\0\0\0\0\1", 0, inet("127.0.0.1", 0))              # 9
A: recv(i, 100, 0)                                                             # 29
## made by hand with a checksum of 0, it is what nobody takes: the raw socket alone sees it
A: sendto(i, "\0\0\0\0\0\0\0\0", 0, inet("127.0.0.1", 0))                      # 8
A: recv(i, 100, 0)                                                             # 28
## IPv6 has addresses in its sum
A: socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) -> j
A: sendto(j, "\x80\0\0\0\0\0\0\0", 0, inet6("::1", 0))                         # 8
A: recv(j, 100, 0)                                                             # 8
A: recv(j, 100, 0)                                                             # 8
A: recv(j, 100, MSG_DONTWAIT)                                                  # EAGAIN
