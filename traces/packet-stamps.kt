## packet-stamps: when packets came: a stamp stays what it was, whoever asks and how often
## nobody has asked for stamps: packets have none
A: socket(AF_INET, SOCK_DGRAM) -> r                                        # 0
A: bind(r, inet("127.0.0.1", 6000))                                        # 0
A: socket(AF_INET, SOCK_DGRAM) -> s                                        # 1
A: sendto(s, "none", 0, inet("127.0.0.1", 6000))                           # 4
A: sendto(s, "none either", 0, inet("127.0.0.1", 6000))                    # 11
## who asks hears the time at which he asked, and so it stays
A: setsockopt(r, SOL_SOCKET, SO_TIMESTAMPNS, 1)                            # 0
A: recvmsg(r, {msg_iov=[20], msg_controllen=64}, MSG_PEEK)                 # 4
A: recvmsg(r, {msg_iov=[20], msg_controllen=64}, MSG_PEEK)                 # 4
A: recvmsg(r, {msg_iov=[20], msg_controllen=64}, 0)                        # 4
wait(20)
## from here on packets may have a stamp when they come
A: sendto(s, "stamped", 0, inet("127.0.0.1", 6000))                        # 7
A: recvmsg(r, {msg_iov=[20], msg_controllen=64}, 0)                        # 11
A: recvmsg(r, {msg_iov=[20], msg_controllen=64}, MSG_PEEK)                 # 7
A: setsockopt(r, SOL_SOCKET, SO_TIMESTAMP, 1)                              # 0
A: recvmsg(r, {msg_iov=[20], msg_controllen=64}, 0)                        # 7
## raw sockets have a copy with the same
A: socket(AF_INET, SOCK_RAW, IPPROTO_UDP) -> w                             # 2
A: setsockopt(w, SOL_SOCKET, SO_TIMESTAMPNS, 1)                            # 0
A: sendto(s, "twice", 0, inet("127.0.0.1", 6000))                          # 5
A: recvmsg(w, {msg_iov=[40], msg_controllen=64}, 0)                        # 33
A: recvmsg(r, {msg_iov=[20], msg_controllen=64}, 0)                        # 5
A: close(w)                                                                # 0
## IPv6, a clock that is set meanwhile, a reader that sleeps
A: socket(AF_INET6, SOCK_DGRAM) -> t                                       # 2
A: bind(t, inet6("::1", 6001))                                             # 0
A: setsockopt(t, SOL_SOCKET, SO_TIMESTAMPNS, 1)                            # 0
A: socket(AF_INET6, SOCK_DGRAM) -> u                                       # 3
A: sendto(u, "before", 0, inet6("::1", 6001))                              # 6
A: clock_settime(CLOCK_REALTIME, {1900000000, 0})                          # 0
A: recvmsg(t, {msg_iov=[20], msg_controllen=64}, 0)                        # 6
A: fork() -> B
B: recvmsg(t, {msg_iov=[20], msg_controllen=64}, 0)                        # blocked
A: sendto(u, "woken", 0, inet6("::1", 6001))                               # 5; B: 5
## two readers of a group have one packet
A: setsockopt(r, SOL_SOCKET, SO_REUSEADDR, 1)                              # 0
A: socket(AF_INET, SOCK_DGRAM) -> m                                        # 4
A: socket(AF_INET, SOCK_DGRAM) -> n                                        # 5
A: setsockopt(m, SOL_SOCKET, SO_REUSEADDR, 1)                              # 0
A: setsockopt(n, SOL_SOCKET, SO_REUSEADDR, 1)                              # 0
A: setsockopt(m, SOL_SOCKET, SO_TIMESTAMPNS, 1)                            # 0
A: setsockopt(n, SOL_SOCKET, SO_TIMESTAMP, 1)                              # 0
A: bind(m, inet("127.255.255.255", 6003))                                  # 0
A: bind(n, inet("127.255.255.255", 6003))                                  # 0
A: setsockopt(s, SOL_SOCKET, SO_BROADCAST, 1)                              # 0
A: sendto(s, "both", 0, inet("127.255.255.255", 6003))                     # 4
A: recvmsg(m, {msg_iov=[20], msg_controllen=64}, MSG_PEEK)                 # 4
A: recvmsg(n, {msg_iov=[20], msg_controllen=64}, 0)                        # 4
A: recvmsg(m, {msg_iov=[20], msg_controllen=64}, 0)                        # 4
## errors have their own
A: setsockopt(s, SOL_IP, IP_RECVERR, 1)                                    # 0
A: setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, 1)                            # 0
A: connect(s, inet("127.0.0.1", 9))                                        # 0
A: send(s, "nobody", 0)                                                    # 6
A: recvmsg(s, {msg_iov=[20], msg_controllen=200}, MSG_ERRQUEUE)            # 6
