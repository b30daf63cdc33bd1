## socket-oob: a byte out of band, over AF_UNIX and TCP: empty buffers, peeking, inline, marks, ends that shut down
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])     # 0
A: sendto(a, "00004", MSG_OOB|MSG_DONTWAIT)        # 5
A: poll([{b, POLLIN|POLLPRI}], 0)                  # 1 [POLLIN|POLLPRI]
## there is no room, but that is no fault
A: recvfrom(b, 0, MSG_OOB|MSG_PEEK)                # 1
A: recvfrom(b, 0, MSG_OOB)                         # 1
A: recvfrom(b, 0, MSG_OOB)                         # EINVAL
A: recv(b, NULL, 1, MSG_DONTWAIT)                  # EFAULT
A: recv(b, 100, MSG_DONTWAIT)                      # 4 "0000"
A: send(a, "x", MSG_OOB)                           # 1
A: recv(b, BAD, 1, MSG_OOB)                        # EFAULT
A: recv(b, 1, MSG_OOB)                             # EINVAL
A: recv(b, 100, MSG_DONTWAIT)                      # EAGAIN
A: send(a, "ab!", MSG_OOB)                         # 3
A: ioctl(b, SIOCATMARK)                            # 0 0
A: recv(b, 100, MSG_PEEK|MSG_DONTWAIT)             # 2
A: recv(b, 100, MSG_DONTWAIT)                      # 2 "ab"
A: ioctl(b, SIOCATMARK)                            # 0 1
A: setsockopt(b, SOL_SOCKET, SO_OOBINLINE, 1)      # 0
A: recv(b, 100, MSG_OOB)                           # EINVAL
A: recv(b, 100, MSG_DONTWAIT)                      # 1 "!"
A: setsockopt(b, SOL_SOCKET, SO_OOBINLINE, 0)      # 0
A: send(a, "last", MSG_OOB)                        # 4
A: shutdown(a, SHUT_WR)                            # 0
A: send(a, "x", MSG_OOB|MSG_NOSIGNAL)              # EPIPE
A: recv(b, 1, MSG_OOB)                             # 1 "t"
A: recv(b, 100, 0)                                 # 3 "las"
A: recv(b, 100, 0)                                 # 0
A: recv(b, 1, MSG_OOB)                             # EINVAL
## TCP
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 1)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: send(s, "ab!", MSG_OOB)                         # 3
A: poll([{c, POLLIN|POLLPRI}], 0)                  # 1 [POLLIN|POLLPRI]
A: recvfrom(c, 0, MSG_OOB|MSG_PEEK)                # 0
A: recv(c, 1, MSG_OOB|MSG_PEEK)                    # 1 "!"
A: recvfrom(c, 0, MSG_OOB)                         # 0
A: recv(c, 1, MSG_OOB)                             # EINVAL
A: ioctl(c, SIOCATMARK)                            # 0 0
A: recv(c, 100, MSG_DONTWAIT)                      # 2 "ab"
A: ioctl(c, SIOCATMARK)                            # 0 1
A: recv(c, 100, MSG_DONTWAIT)                      # EAGAIN
A: send(s, "x", MSG_OOB)                           # 1
A: recv(c, BAD, 1, MSG_OOB)                        # EFAULT
A: recv(c, 1, MSG_OOB)                             # EINVAL
A: send(s, "one", MSG_OOB)                         # 3
A: send(s, "two", MSG_OOB)                         # 3
A: recv(c, 1, MSG_OOB)                             # 1 "o"
A: recv(c, 100, MSG_DONTWAIT)                      # _
A: recv(c, 100, MSG_DONTWAIT)                      # EAGAIN
## urgent, and behind it nothing more
A: send(s, "bye", MSG_OOB)                         # 3
A: shutdown(s, SHUT_WR)                            # 0
A: recv(c, 1, MSG_OOB)                             # 1 "e"
A: recv(c, 100, 0)                                 # 2 "by"
A: send(c, "answer", MSG_OOB)                      # 6
A: recv(s, 1, MSG_OOB)                             # 1 "r"
A: close(s)                                        # 0
A: close(c)                                        # 0
## for one that has shut down both ways: noted, then the connection is reset
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
A: shutdown(c, SHUT_RDWR)                          # 0
A: send(s, "urgent", MSG_OOB)                      # 6
A: poll([{c, POLLPRI}], 0)                         # 1
A: recv(c, 1, MSG_OOB)                             # ENOTCONN
A: send(s, "more", MSG_OOB|MSG_NOSIGNAL)           # EPIPE
A: recv(s, 1, MSG_OOB)                             # EINVAL
## only its place is known as long as a full window holds the byte back
A: socket(AF_INET, SOCK_STREAM) -> l2
A: setsockopt(l2, SOL_SOCKET, SO_RCVBUF, 2000)     # 0
A: bind(l2, inet("127.0.0.1", 5001))               # 0
A: listen(l2, 1)                                   # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5001))             # 0
A: accept(l2, NULL, NULL) -> s
A: send(c, "x" * 5000 + "!", MSG_OOB)              # 5001
A: poll([{s, POLLIN|POLLPRI}], 0)                  # 1 [POLLIN]
A: recv(s, 1, MSG_OOB)                             # EAGAIN
A: recv(s, 10000, MSG_DONTWAIT)                    # 2000
A: recv(s, 10000, MSG_DONTWAIT)                    # 2000
A: recv(s, 1, MSG_OOB)                             # 1 "!"
A: recv(s, 10000, MSG_DONTWAIT)                    # 1000
## FIONREAD of AF_UNIX counts a byte that was skipped no more
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [d, e])     # 0
A: send(d, "q", MSG_OOB)                           # 1
A: ioctl(e, FIONREAD)                              # _
A: recv(e, 10, MSG_DONTWAIT)                       # EAGAIN
A: ioctl(e, FIONREAD)                              # 0 1 if unix_inq_len else 0 0
A: send(d, "abc", 0)                               # 3
A: ioctl(e, FIONREAD)                              # 0 4 if unix_inq_len else 0 3
A: recv(e, 10, MSG_DONTWAIT)                       # 3
A: ioctl(e, FIONREAD)                              # 0 1 if unix_inq_len else 0 0
