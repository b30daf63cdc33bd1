## multicast-if: a datagram to a group, out of the interface of IP_MULTICAST_IF
## kernel: 3, and it is received (net/ipv4/udp.c: udp_sendmsg(), ipc.oif = inet->mc_index; route.c: ip_route_output_key_hash_rcu())
A: socket(AF_INET, SOCK_DGRAM) -> r
A: bind(r, inet("0.0.0.0", 5007))                  # 0
A: setsockopt(r, SOL_IP, IP_ADD_MEMBERSHIP, "\xe0\x01\x01\x01\x7f\x00\x00\x01")   # 0
A: socket(AF_INET, SOCK_DGRAM) -> s
A: setsockopt(s, SOL_IP, IP_MULTICAST_IF, "\x7f\x00\x00\x01")   # 0
A: sendto(s, "all", 0, inet("224.1.1.1", 5007))    # 3
