## tcp-options: what can be set and asked of a connection, and a listener that waits for the first byte
A: socket(AF_INET, SOCK_STREAM) -> l
A: setsockopt(l, SOL_TCP, TCP_NODELAY, 1)            # 0
A: getsockopt(l, SOL_TCP, TCP_NODELAY)               # 0 1
A: setsockopt(l, SOL_TCP, TCP_MAXSEG, 87)            # EINVAL
A: setsockopt(l, SOL_TCP, TCP_MAXSEG, 1000)          # 0
A: getsockopt(l, SOL_TCP, TCP_MAXSEG)                # 0 1000
A: setsockopt(l, SOL_TCP, TCP_KEEPIDLE, 0)           # EINVAL
A: setsockopt(l, SOL_TCP, TCP_KEEPIDLE, 32768)       # EINVAL
A: setsockopt(l, SOL_TCP, TCP_KEEPIDLE, 100)         # 0
A: setsockopt(l, SOL_TCP, TCP_KEEPINTVL, 10)         # 0
A: setsockopt(l, SOL_TCP, TCP_KEEPCNT, 128)          # EINVAL
A: setsockopt(l, SOL_TCP, TCP_KEEPCNT, 3)            # 0
A: setsockopt(l, SOL_SOCKET, SO_KEEPALIVE, 1)        # 0
A: setsockopt(l, SOL_TCP, TCP_USER_TIMEOUT, -1)      # EINVAL
A: setsockopt(l, SOL_TCP, TCP_SYNCNT, 2)             # 0
A: setsockopt(l, SOL_TCP, TCP_LINGER2, -1)           # 0
A: getsockopt(l, SOL_TCP, TCP_LINGER2)               # 0 (-1)
A: getsockopt(l, SOL_TCP, TCP_CONGESTION)            # 0 "cubic\0\0\0\0\0\0\0\0\0\0\0" 16
A: setsockopt(l, SOL_TCP, TCP_CONGESTION, "vegas")   # ENOENT
A: setsockopt(l, SOL_TCP, TCP_CONGESTION, "")        # EINVAL
A: setsockopt(l, SOL_TCP, TCP_CONGESTION, "reno")    # 0
A: setsockopt(l, SOL_TCP, TCP_ULP, "tls")            # ENOENT
A: setsockopt(l, SOL_TCP, TCP_INFO, 1)               # ENOPROTOOPT
A: setsockopt(l, SOL_TCP, 99, 1)                     # ENOPROTOOPT
A: setsockopt(l, SOL_TCP, TCP_NODELAY, "xx")         # EINVAL
A: getsockopt(l, SOL_TCP, TCP_INFO)                  # 0 {tcpi_state=7}
## in retransmissions: five seconds are three, which take seven
A: setsockopt(l, SOL_TCP, TCP_DEFER_ACCEPT, 5)       # 0
A: getsockopt(l, SOL_TCP, TCP_DEFER_ACCEPT)          # 0 7
A: bind(l, inet("127.0.0.1", 5000))                  # 0
A: listen(l, 2)                                      # 0
A: getsockopt(l, SOL_TCP, TCP_INFO)                  # 0 {tcpi_state=10, tcpi_unacked=0, tcpi_sacked=2}
A: fork() -> B
B: socket(AF_INET, SOCK_STREAM) -> s
## connected, as the client sees it; the listener waits until it says something
B: connect(s, inet("127.0.0.1", 5000))               # 0
A: poll([{l, POLLIN}], 0)                            # 0
A: accept(l, NULL, NULL) -> c                        # blocked
B: getsockopt(s, SOL_TCP, TCP_INFO)                  # 0 {tcpi_state=1, tcpi_bytes_sent=0}
B: send(s, "hello", 0)                               # 5; A: _
A: recv(c, 10, 0)                                    # 5 "hello"
A: getsockopt(c, SOL_TCP, TCP_INFO)                  # 0 {tcpi_state=1, tcpi_bytes_received=5, tcpi_notsent_bytes=0}
## the child has the listener's options
A: getsockopt(c, SOL_TCP, TCP_CONGESTION)            # 0 "reno\0\0\0\0\0\0\0\0\0\0\0\0" 16
A: getsockopt(c, SOL_TCP, TCP_DEFER_ACCEPT)          # 0 0
A: getsockopt(c, SOL_TCP, TCP_KEEPCNT)               # 0 3
B: getsockopt(s, SOL_TCP, TCP_CONGESTION)            # 0 "cubic\0\0\0\0\0\0\0\0\0\0\0" 16
## one that ends before it says anything is taken, too; one that resets is forgotten
B: socket(AF_INET, SOCK_STREAM) -> s2
B: connect(s2, inet("127.0.0.1", 5000))              # 0
B: shutdown(s2, SHUT_WR)                             # 0
A: accept4(l, NULL, NULL, SOCK_NONBLOCK) -> c2
A: recv(c2, 10, 0)                                   # 0 ""
B: socket(AF_INET, SOCK_STREAM) -> s3
B: connect(s3, inet("127.0.0.1", 5000))              # 0
B: setsockopt(s3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0})    # 0
B: close(s3)                                         # 0
## after a second the listener has asked often enough
A: setsockopt(l, SOL_TCP, TCP_DEFER_ACCEPT, 1)       # 0
B: socket(AF_INET, SOCK_STREAM) -> s4
B: connect(s4, inet("127.0.0.1", 5000))              # 0
A: accept(l, NULL, NULL) -> c4                       # blocked
wait(8000)                                           # A: _
## nothing leaves while it is corked, but what fills a segment
B: setsockopt(s4, SOL_TCP, TCP_CORK, 1)              # 0
B: send(s4, "held back", 0)                          # 9
A: recv(c4, 100, MSG_DONTWAIT)                       # EAGAIN
B: getsockopt(s4, SOL_TCP, TCP_INFO)                 # 0 {tcpi_notsent_bytes=9}
B: setsockopt(s4, SOL_TCP, TCP_CORK, 0)              # 0
A: recv(c4, 100, MSG_DONTWAIT)                       # 9
