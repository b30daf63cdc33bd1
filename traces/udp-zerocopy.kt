## udp-zerocopy: MSG_ZEROCOPY over UDP: the datagram is copied, the error queue says when the sender's pages are free
A: socket(AF_INET, SOCK_DGRAM) -> r                # 0
A: bind(r, inet("127.0.0.1", 5007))                # 0
A: socket(AF_INET, SOCK_DGRAM) -> s                # 1
A: setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, 1)       # 0
A: sendto(s, "zero" * 10, MSG_ZEROCOPY, inet("127.0.0.1", 5007)) # 40
A: poll([{s, POLLERR}, {r, POLLIN}], 0)            # 2
A: recv(r, 100, MSG_DONTWAIT)                      # 40
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # 0
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # EAGAIN
## two notifications that follow each other are one
A: sendto(s, "copy" * 1500, MSG_ZEROCOPY, inet("127.0.0.1", 5007)) # 6000
A: sendmsg(s, {msg_name=inet("127.0.0.1", 5007), msg_iov=["three", "parts", "here"]}, MSG_ZEROCOPY)    # 14
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # 0
A: recv(r, 9000, MSG_DONTWAIT)                     # 6000
A: recv(r, 100, MSG_DONTWAIT)                      # 14
## of no bytes, too, but not of what cannot be read
A: sendto(s, "", MSG_ZEROCOPY, inet("127.0.0.1", 5007)) # 0
A: recv(r, 100, MSG_DONTWAIT)                      # 0
A: sendto(s, BAD, 10, MSG_ZEROCOPY, inet("127.0.0.1", 5007), 16) # EFAULT
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # 0
## a reader that sleeps
A: fork() -> B
B: recv(r, 100, 0)                                 # blocked
A: sendto(s, "wake", MSG_ZEROCOPY, inet("127.0.0.1", 5007)) # 4; B: 4
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # 0
A: sendto(s, "gone", MSG_ZEROCOPY, inet("127.0.0.1", 5008)) # 4
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # 0
A: sendto(s, "probe", MSG_PROBE, inet("127.0.0.1", 5007)) # 5
A: recv(r, 100, MSG_DONTWAIT)                      # EAGAIN
A: setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, 0)       # 0
A: sendto(s, "plain", MSG_ZEROCOPY, inet("127.0.0.1", 5007)) # 5
A: recvmsg(s, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # EAGAIN
A: socket(AF_INET6, SOCK_DGRAM) -> r6              # 2
A: bind(r6, inet6("::1", 5007))                    # 0
A: socket(AF_INET6, SOCK_DGRAM) -> s6              # 3
A: setsockopt(s6, SOL_SOCKET, SO_ZEROCOPY, 1)      # 0
A: sendto(s6, "zero" * 10, MSG_ZEROCOPY, inet6("::1", 5007)) # 40
A: recvmsg(s6, {msg_iov=[10], msg_controllen=100}, MSG_ERRQUEUE) # 0
A: recv(r6, 100, MSG_DONTWAIT)                     # 40
A: close(s)                                        # 0
