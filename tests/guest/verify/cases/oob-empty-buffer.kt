## oob-empty-buffer: MSG_OOB into a buffer of no bytes
## kernel: 1, and no byte (net/unix/af_unix.c: unix_stream_recv_urg())
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: sendto(a, "00004", MSG_OOB|MSG_DONTWAIT)        # 5
A: recvfrom(b, 0, MSG_OOB)                         # 1
