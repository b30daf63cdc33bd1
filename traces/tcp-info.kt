## tcp-info: what TCP_INFO, SO_MEMINFO and SO_COOKIE tell before, in and after connections, and of those that came to nothing
A: socket(AF_INET, SOCK_STREAM, 0) -> s
A: getsockopt(s, SOL_TCP, TCP_INFO, 232)                       # 0
A: connect(s, inet("127.0.0.1", 999))                          # ECONNREFUSED
A: getsockopt(s, SOL_TCP, TCP_INFO, 232)                       # 0
A: getsockopt(s, SOL_SOCKET, SO_MEMINFO, 36)                   # 0
A: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0) -> n
A: connect(n, inet("127.0.0.1", 999))                          # EINPROGRESS
A: getsockopt(n, SOL_TCP, TCP_INFO, 232)                       # 0
A: connect(n, inet("127.0.0.1", 999))                          # ECONNREFUSED
A: getsockopt(n, SOL_TCP, TCP_INFO, 232)                       # 0
A: socket(AF_INET, SOCK_STREAM, 0) -> l
A: bind(l, inet("127.0.0.1", 5000))                            # 0
A: listen(l, 4)                                                # 0
A: getsockopt(l, SOL_TCP, TCP_INFO, 232)                       # 0
A: socket(AF_INET, SOCK_STREAM, 0) -> c
A: connect(c, inet("127.0.0.1", 5000))                         # 0
A: accept(l) -> x
A: write(c, "hello")                                           # 5
A: getsockopt(c, SOL_TCP, TCP_INFO, 232)                       # 0
A: getsockopt(x, SOL_TCP, TCP_INFO, 232)                       # 0
A: getsockopt(x, SOL_SOCKET, SO_MEMINFO, 36)                   # 0
A: getsockopt(c, SOL_SOCKET, SO_MEMINFO, 36)                   # 0
A: shutdown(l, SHUT_RDWR)                                      # 0
A: getsockopt(l, SOL_TCP, TCP_INFO, 232)                       # 0
A: shutdown(c, SHUT_WR)                                        # 0
A: getsockopt(c, SOL_TCP, TCP_INFO, 232)                       # 0
A: close(x)                                                    # 0
A: getsockopt(c, SOL_TCP, TCP_INFO, 232)                       # 0
A: socket(AF_INET6, SOCK_STREAM, 0) -> s6
A: getsockopt(s6, SOL_TCP, TCP_INFO, 232)                      # 0
A: connect(s6, inet6("::1", 999))                              # ECONNREFUSED
A: getsockopt(s6, SOL_TCP, TCP_INFO, 232)                      # 0
A: bind(s6, inet6("::1", 5001))                                # 0
A: listen(s6, 1)                                               # 0
A: socket(AF_INET6, SOCK_STREAM, 0) -> c6
A: connect(c6, inet6("::1", 5001))                             # 0
A: write(c6, "x" * 100000)                                     # 100000
A: getsockopt(c6, SOL_TCP, TCP_INFO, 232)                      # 0
A: getsockopt(c6, SOL_SOCKET, SO_MEMINFO, 36)                  # 0
A: getsockopt(c6, SOL_SOCKET, SO_COOKIE, 8)                    # 0
A: getsockopt(c, SOL_SOCKET, SO_COOKIE, 8)                     # 0
A: getsockopt(c6, SOL_SOCKET, SO_COOKIE, 8)                    # 0
A: getsockopt(c6, SOL_SOCKET, SO_NETNS_COOKIE, 8)              # 0
