## socketpair: two AF_UNIX sockets back to back: streams, datagrams, packets
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])       # 0
A: fork() -> B
B: close(a)                                 # 0
A: close(b)                                 # 0
A: write(a, "stream of ")                   # 10
A: write(a, "bytes")                        # 5
B: ioctl(b, FIONREAD)                       # 0 15
B: recv(b, 6, MSG_PEEK)                     # 6 "stream"
B: read(b, 100)                             # 15 "stream of bytes"
B: read(b, 100)                             # blocked
A: send(a, "wake up", 0)                    # 7; B: 7 "wake up"
## half closed: nothing more from A, but still to A
A: shutdown(a, SHUT_WR)                     # 0
B: read(b, 100)                             # 0 ""
A: write(a, "x")                            # SIGPIPE; EPIPE
A: send(a, "x", MSG_NOSIGNAL)               # EPIPE
B: write(b, "answer")                       # 6
A: read(a, 100)                             # 6 "answer"
B: close(b)                                 # 0
A: read(a, 100)                             # 0 ""
A: close(a)                                 # 0
## closed with data unread: the other side is told
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])       # 0
A: write(a, "unread")                       # 6
A: close(b)                                 # 0
A: read(a, 1)                               # ECONNRESET
A: read(a, 1)                               # 0 ""
A: write(a, "x")                            # SIGPIPE; EPIPE
A: close(a)                                 # 0
## datagrams keep their borders, and lose what does not fit
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [a, b])        # 0
A: send(a, "first datagram", 0)             # 14
A: send(a, "second", 0)                     # 6
A: send(a, "", 0)                           # 0
A: recv(b, 5, 0)                            # 5 "first"
A: recv(b, 2, MSG_TRUNC)                    # 6 "se"
A: recv(b, 10, 0)                           # 0 ""
A: recv(b, 10, MSG_DONTWAIT)                # EAGAIN
A: close(a)                                 # 0
A: send(b, "x", 0)                          # ECONNREFUSED
## packets: both
A: socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_NONBLOCK, 0, [c, d])      # 0
A: write(c, "packet one")                   # 10
A: write(c, "packet two")                   # 10
A: read(d, 6)                               # 6 "packet"
A: read(d, 100)                             # 10 "packet two"
A: read(d, 100)                             # EAGAIN
