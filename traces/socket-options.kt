## socket-options: rights that do not fit, senders and readers that wait, and options in their odd forms
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])               # 0
A: sendmsg(a, {msg_iov=["self"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a]}]}, 0) # 4
A: sendmsg(a, {msg_iov=["plain"]}, 0)                        # 5
A: recvmsg(b, {msg_iov=[20], msg_controllen=24}, MSG_PEEK)   # 4
A: recvmsg(b, {msg_iov=[2], msg_controllen=24}, 0)           # 2
A: recvmsg(b, {msg_iov=[20], msg_controllen=24}, 0)          # 7
A: recvmsg(b, {msg_iov=[20], msg_controllen=24}, MSG_DONTWAIT) # EAGAIN
A: sendmsg(a, {msg_iov=[""], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a, b]}]}, 0) # 0
A: recvmsg(b, {msg_iov=[20], msg_controllen=24}, MSG_DONTWAIT) # EAGAIN
A: sendmsg(a, {msg_iov=["two"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a, b]}]}, 0) # 3
A: recvmsg(b, {msg_iov=[20], msg_controllen=20}, MSG_DONTWAIT|MSG_CMSG_CLOEXEC) # 3
A: setrlimit(RLIMIT_NOFILE, {4, 100})                        # 0
A: sendmsg(a, {msg_iov=["lim"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a, b]}]}, 0) # 3
A: recvmsg(b, {msg_iov=[20], msg_controllen=64}, MSG_DONTWAIT) # 3
A: setrlimit(RLIMIT_NOFILE, {100, 100})                      # 0
A: sendmsg(a, {msg_iov=["short"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a, b]}], msg_controllen=20}, 0) # EINVAL
A: sendmsg(a, {msg_iov=["none"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a, b]}], msg_controllen=10}, 0) # 4
A: sendmsg(a, {msg_iov=["neg"], msg_name=unix(@"x"), msg_namelen=-1}, 0) # EINVAL
A: sendmsg(a, {msg_iov=["long"], msg_name=unix(@"x"), msg_namelen=200}, 0) # EISCONN
A: send(a, BAD, 0, 0)                                        # 0
A: sendto(a, BAD, 5, 0, NULL, 0)                             # EFAULT
A: recvfrom(b, BAD, 5, MSG_DONTWAIT, NULL, NULL)             # EFAULT
A: recv(b, 100, MSG_DONTWAIT)                                # 4
A: fork() -> B
A: close(b)                                                  # 0
B: close(a)                                                  # 0
A: setsockopt(a, SOL_SOCKET, SO_SNDBUF, 0)                   # 0
A: write(a, "x" * 10000)                                     # blocked
B: read(b, 3000)                                             # 3000
B: read(b, 3000)                                             # 1480
B: read(b, 10000)                                            # 4480; A: _
B: recv(b, 5000, MSG_WAITALL)                                # blocked
A: write(a, "abc")                                           # 3
A: shutdown(a, SHUT_WR)                                      # 0; B: _
B: setsockopt(b, SOL_SOCKET, SO_RCVLOWAT, 10)                # 0
B: read(b, 100)                                              # 0
A: setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "lo\0")        # 0 if netdevices else ENOPROTOOPT
A: setsockopt(a, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=5}) # 0
A: getsockopt(a, SOL_SOCKET, SO_LINGER)                      # 0
A: setsockopt(a, SOL_SOCKET, SO_REUSEPORT, 1)                # EOPNOTSUPP
A: setsockopt(a, SOL_SOCKET, SO_REUSEPORT, 0)                # 0
A: setsockopt(a, SOL_SOCKET, SO_PRIORITY, 7)                 # 0
A: setsockopt(a, SOL_SOCKET, SO_TYPE, 7)                     # ENOPROTOOPT
A: setsockopt(a, SOL_SOCKET, SO_ERROR, 7)                    # ENOPROTOOPT
A: setsockopt(a, SOL_SOCKET, 999, 7)                         # ENOPROTOOPT
A: getsockopt(a, SOL_SOCKET, 999)                            # ENOPROTOOPT
A: setsockopt(a, SOL_SOCKET, SO_SNDBUF, BAD, 4)              # EFAULT
A: setsockopt(a, SOL_SOCKET, SO_SNDBUF, "xx")                # EINVAL
A: getsockopt(a, SOL_SOCKET, SO_SNDBUF, 2)                   # 0
A: getsockopt(a, SOL_SOCKET, SO_SNDBUF, -1)                  # EINVAL
A: getsockopt(a, SOL_TCP, TCP_NODELAY)                       # EOPNOTSUPP
A: setsockopt(a, SOL_TCP, TCP_NODELAY, 1)                    # EOPNOTSUPP
A: getsockopt(a, SOL_SOCKET, SO_COOKIE, 8)                   # 0
A: getsockopt(a, SOL_SOCKET, SO_MEMINFO)                     # 0
A: getsockopt(a, SOL_SOCKET, SO_PEERGROUPS)                  # 0
A: getsockopt(a, SOL_SOCKET, SO_INCOMING_CPU)                # 0
A: getsockopt(a, SOL_SOCKET, SO_TXREHASH)                    # EOPNOTSUPP if txrehash_tcp_only else 0
A: getsockopt(a, SOL_SOCKET, SO_NETNS_COOKIE, 8)             # 0
A: getsockopt(a, SOL_SOCKET, SO_BINDTODEVICE)                # 0 if netdevices else ENOPROTOOPT
A: getsockopt(a, SOL_SOCKET, SO_PEERSEC)                     # 0 if peer_labels else ENOPROTOOPT
A: setsockopt(a, SOL_SOCKET, SO_MAX_PACING_RATE, 1000)       # 0
A: getsockopt(a, SOL_SOCKET, SO_MAX_PACING_RATE)             # 0
A: setsockopt(a, SOL_SOCKET, SO_RESERVE_MEM, 1)              # EOPNOTSUPP
A: setsockopt(a, SOL_SOCKET, SO_TXTIME, "12345678")          # EINVAL
A: setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, "12345678")   # EINVAL
A: setsockopt(a, SOL_SOCKET, SO_DETACH_FILTER, 0)            # ENOENT
A: setsockopt(a, SOL_SOCKET, SO_INCOMING_CPU, 0)             # 0
A: setsockopt(a, SOL_SOCKET, SO_PASSSEC, 1)                  # EOPNOTSUPP if scm_flags_in_sock and not security_network else 0
A: getsockopt(a, SOL_SOCKET, SO_PASSSEC)                     # EOPNOTSUPP if scm_flags_in_sock and not security_network else 0
A: setsockopt(a, SOL_SOCKET, SO_BUSY_POLL, 1)                # 0
