## tcp-zerocopy: MSG_ZEROCOPY leaves a notification in the error queue, and one grows by the next
A: socket(AF_INET, SOCK_STREAM) -> l
A: bind(l, inet("127.0.0.1", 5000))                # 0
A: listen(l, 5)                                    # 0
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))             # 0
A: accept(l, NULL, NULL) -> s
## without SO_ZEROCOPY the flag says nothing
A: send(c, "copied", MSG_ZEROCOPY)                 # 6
A: recvmsg(c, {msg_iov=[10], msg_namelen=16, msg_controllen=100}, MSG_ERRQUEUE)   # EAGAIN
A: setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, 1)       # 0
A: send(c, "zero" * 1000, MSG_ZEROCOPY)            # 4000
A: poll([{c, POLLIN}], 0)                          # 1 [POLLERR]
A: recvmsg(c, {msg_iov=[10], msg_namelen=16, msg_controllen=100}, MSG_ERRQUEUE)   # 0
A: recvmsg(c, {msg_iov=[10], msg_namelen=16, msg_controllen=100}, MSG_ERRQUEUE)   # EAGAIN
A: poll([{c, POLLIN}], 0)                          # 0
## 1 to 3
A: send(c, "one", MSG_ZEROCOPY)                    # 3
A: send(c, "not", 0)                               # 3
A: send(c, "two", MSG_ZEROCOPY)                    # 3
A: sendmsg(c, {msg_iov=["th", "ree"]}, MSG_ZEROCOPY)   # 5
A: send(c, "", MSG_ZEROCOPY)                       # 0
A: recvmsg(c, {msg_iov=[10], msg_namelen=16, msg_controllen=100}, MSG_ERRQUEUE)   # 0
A: recvmsg(c, {msg_iov=[10], msg_namelen=16, msg_controllen=100}, MSG_ERRQUEUE)   # EAGAIN
A: recv(s, 5000, MSG_DONTWAIT)                     # 4020
## one that polls for errors alone is woken
A: fork() -> B
B: poll([{c, 0}], -1)                              # blocked
A: send(c, "four", MSG_ZEROCOPY)                   # 4; B: 1 [POLLERR]
A: recv(s, 100, 0)                                 # 4 "four"
## nobody takes it
B: close(s)                                        # 0
A: close(s)                                        # 0
A: send(c, "five", MSG_ZEROCOPY|MSG_NOSIGNAL)      # 4
A: recvmsg(c, {msg_iov=[10], msg_namelen=16, msg_controllen=100}, MSG_ERRQUEUE)   # 0
A: send(c, "six", MSG_ZEROCOPY|MSG_NOSIGNAL)       # EPIPE
A: recvmsg(c, {msg_iov=[10], msg_namelen=16, msg_controllen=100}, MSG_ERRQUEUE)   # EAGAIN
## IPv6
A: socket(AF_INET6, SOCK_STREAM) -> l6
A: bind(l6, inet6("::1", 5006))                    # 0
A: listen(l6, 5)                                   # 0
A: socket(AF_INET6, SOCK_STREAM) -> c6
A: connect(c6, inet6("::1", 5006))                 # 0
A: accept(l6, NULL, NULL) -> s6
A: setsockopt(c6, SOL_SOCKET, SO_ZEROCOPY, 1)      # 0
A: send(c6, "six", MSG_ZEROCOPY)                   # 3
A: recv(s6, 100, 0)                                # 3
A: recvmsg(c6, {msg_iov=[10], msg_namelen=28, msg_controllen=100}, MSG_ERRQUEUE)  # 0
A: recvmsg(c6, {msg_iov=[10], msg_namelen=28, msg_controllen=100}, MSG_ERRQUEUE)  # EAGAIN
