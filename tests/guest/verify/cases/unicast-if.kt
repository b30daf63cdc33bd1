## unicast-if: IP_UNICAST_IF chooses the interface
## kernel: 1 (net/ipv4/udp.c: udp_sendmsg(), ipc.oif = inet->uc_index)
A: socket(AF_INET, SOCK_DGRAM) -> s
A: setsockopt(s, SOL_IP, IP_UNICAST_IF, "\x00\x00\x00\x01")    # 0
A: sendto(s, "x", 0, inet("10.1.1.1", 5007))       # 1
