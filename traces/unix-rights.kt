## unix-rights: open files travel in messages, and a cycle of them is found
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])                   # 0
A: pipe([r, w])                                      # 0
A: sendmsg(a, {msg_iov=["take"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [r, w]}]}, 0)   # 4
A: close(r)                                          # 0
A: close(w)                                          # 0
## the pipe lives on in the message
A: fork() -> B
B: recvmsg(b, {msg_iov=[100], msg_controllen=64}, 0) # 4 "take"
B: write(3, "through")                                # 7
B: read(2, 100)                                      # 7 "through"
## what is not received is closed with the socket
A: sendmsg(a, {msg_iov=["x"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [0]}]}, 0)               # 1
A: sendmsg(a, {msg_iov=["y"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [99]}]}, 0)              # EBADF
B: close(b)                                          # 0
A: close(b)                                          # 0
A: close(a)                                          # 0
B: close(a)                                          # 0
## two sockets that hold only each other (net/unix/garbage.c)
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [c, d])                    # 0
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [c]}]}, 0)               # 1
A: sendmsg(d, {msg_iov=["2"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d]}]}, 0)               # 1
A: close(c)                                          # 0
A: close(d)                                          # 0
