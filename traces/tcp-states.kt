## tcp-states: ports that are taken, calls in the wrong state, urgent bytes, ends that shut down and disconnect
A: socket(AF_INET, SOCK_STREAM) -> a
A: socket(AF_INET, SOCK_STREAM) -> b
A: bind(a, inet("127.0.0.1", 5000))                          # 0
A: bind(b, inet("127.0.0.1", 5000))                          # EADDRINUSE
A: bind(b, inet("0.0.0.0", 5000))                            # EADDRINUSE
A: setsockopt(b, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(b, inet("127.0.0.1", 5000))                          # EADDRINUSE
A: setsockopt(a, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(b, inet("127.0.0.1", 5000))                          # 0
A: listen(a, 1)                                              # 0
A: listen(b, 1)                                              # EADDRINUSE
A: bind(b, inet("127.0.0.1", 5001))                          # EINVAL
A: socket(AF_INET, SOCK_STREAM) -> c
A: setsockopt(c, SOL_SOCKET, SO_REUSEADDR, 1)                # 0
A: bind(c, inet("127.0.0.1", 5000))                          # EADDRINUSE
A: bind(c, inet("127.0.0.2", 5000))                          # 0
A: listen(c, 0)                                              # 0
A: socket(AF_INET, SOCK_STREAM) -> p1
A: socket(AF_INET, SOCK_STREAM) -> p2
A: setsockopt(p1, SOL_SOCKET, SO_REUSEPORT, 1)               # 0
A: setsockopt(p2, SOL_SOCKET, SO_REUSEPORT, 1)               # 0
A: bind(p1, inet("127.0.0.1", 5005))                         # 0
A: bind(p2, inet("127.0.0.1", 5005))                         # 0
spawn U uid=1000 gid=1000
U: socket(AF_INET, SOCK_STREAM) -> u
U: setsockopt(u, SOL_SOCKET, SO_REUSEPORT, 1)                # 0
U: bind(u, inet("127.0.0.1", 5005))                          # EADDRINUSE
U: bind(u, inet("127.0.0.1", 80))                            # EACCES
U: bind(u, inet("10.0.0.1", 5005))                           # EADDRNOTAVAIL
U: bind(u, inet("224.0.0.1", 5009))                          # 0
U: socket(AF_INET, SOCK_STREAM) -> u2
U: bind(u2, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}) # 0
U: getsockname(u2)                                           # 0
U: connect(u2, inet("127.0.0.1", 0))                         # ECONNREFUSED
U: connect(u2, inet("10.0.0.1", 5000))                       # ENETUNREACH
U: connect(u2, inet("224.0.0.1", 5000))                      # ENETUNREACH
U: connect(u2, inet("127.0.0.1", 5999))                      # ECONNREFUSED
U: connect(u2, {sa_family=AF_INET, sa_data="xx"})            # EINVAL
U: getsockopt(u2, SOL_SOCKET, SO_ERROR)                      # 0
A: send(c, "x", MSG_NOSIGNAL)                                # EPIPE
A: recv(c, 1, 0)                                             # ENOTCONN
A: getpeername(c)                                            # ENOTCONN
A: accept(p1)                                                # EINVAL
A: socket(AF_INET, SOCK_STREAM) -> e
A: recv(e, 1, 0)                                             # ENOTCONN
A: send(e, "x", MSG_NOSIGNAL)                                # EPIPE
A: shutdown(e, SHUT_WR)                                      # ENOTCONN
A: getpeername(e)                                            # ENOTCONN
A: accept(e)                                                 # EINVAL
A: listen(e, 3)                                              # 0
A: getsockname(e)                                            # 0
A: socket(AF_INET, SOCK_STREAM) -> s
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(a) -> d
A: sendto(s, "named", 0, inet("127.0.0.1", 1234))            # 5
A: recvfrom(d, 10)                                           # 5
A: recvmsg(d, {msg_iov=[10], msg_namelen=16, msg_controllen=40}, MSG_DONTWAIT) # EAGAIN
A: send(s, "abcdef", MSG_OOB)                                # 6
A: ioctl(d, SIOCATMARK)                                      # 0
A: recv(d, 2, 0)                                             # 2
A: ioctl(d, FIONREAD)                                        # 0
A: recv(d, 10, 0)                                            # 3
A: ioctl(d, SIOCATMARK)                                      # 0
A: recv(d, 10, MSG_OOB|MSG_PEEK)                             # 1
A: recv(d, 10, MSG_OOB)                                      # 1
A: recv(d, 10, MSG_OOB)                                      # EINVAL
A: recv(d, 10, MSG_DONTWAIT)                                 # EAGAIN
A: send(s, "xyz", MSG_MORE)                                  # 3
A: recv(d, 10, MSG_DONTWAIT)                                 # EAGAIN
A: send(s, "w", 0)                                           # 1
A: recv(d, 10, 0)                                            # 4
A: send(d, "trunc", 0)                                       # 5
A: recv(s, 3, MSG_TRUNC)                                     # 3
A: recv(s, 10, MSG_PEEK)                                     # 2
A: recv(s, 10, MSG_DONTWAIT)                                 # 2
A: connect(s, {sa_family=AF_UNSPEC, sa_data="\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}) # 0
A: recv(d, 10, 0)                                            # ECONNRESET
A: recv(d, 10, 0)                                            # 0
A: connect(s, inet("127.0.0.1", 5000))                       # 0
A: accept(a) -> d2
A: shutdown(s, SHUT_WR)                                      # 0
A: shutdown(d2, SHUT_WR)                                     # 0
A: recv(s, 1, 0)                                             # 0
A: recv(d2, 1, 0)                                            # 0
A: shutdown(s, SHUT_WR)                                      # ENOTCONN
A: getpeername(s)                                            # ENOTCONN
A: close(s)                                                  # 0
A: close(d2)                                                 # 0
A: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK) -> nb
A: connect(nb, inet("127.0.0.1", 5000))                      # EINPROGRESS
A: connect(nb, inet("127.0.0.1", 5000))                      # 0
A: connect(nb, inet("127.0.0.1", 5000))                      # EISCONN
A: getsockopt(nb, SOL_SOCKET, SO_ERROR)                      # 0
A: socket(AF_INET, SOCK_STREAM) -> x1
A: connect(x1, inet("127.0.0.2", 5000))                      # 0
A: socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK) -> x2
A: connect(x2, inet("127.0.0.2", 5000))                      # EINPROGRESS
A: close(c)                                                  # 0
A: recv(x1, 1, 0)                                            # ECONNRESET
