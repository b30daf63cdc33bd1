## validate-purged-rights: rights that were purged are counted no more
## kernel: a datagram queue that is purged when its socket ends does not count back (net/unix/af_unix.c: unix_release_sock()); the validator contradicts a sound kernel
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [a, b])      # 0
A: sendmsg(a, {msg_iov=["g"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [b]}]}, MSG_DONTWAIT)   # 1
A: close(a)                                        # 0
A: sendto(b, "x", MSG_DONTWAIT)                    # ECONNREFUSED
