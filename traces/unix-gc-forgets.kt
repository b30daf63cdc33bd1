## unix-gc-forgets: sockets that only travel towards each other: Linux before 7.3 forgets some of them, by the way that it finds them
## each message is sent by the end that is not counted: it waits at its peer. a waits at b, b at c, c at b, b at a
A: pipe([r, w])                                              # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, x])               # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [b, y])               # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [c, z])               # 0
A: sendmsg(y, {msg_iov=["w"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[a, w]}]}, 0) # 1
A: sendmsg(z, {msg_iov=["b"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[b]}]}, 0) # 1
A: sendmsg(y, {msg_iov=["c"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[c]}]}, 0) # 1
A: sendmsg(x, {msg_iov=["b"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[b]}]}, 0) # 1
A: close_range(w, z, 0)                                      # 0
## whoever reads would wait for ever, for the pipe's other end is among what is forgotten
A: poll([{r, POLLIN}], 0)                                    # 1 [POLLHUP] if unix_scc_unique else 0 [0]
A: socket(AF_UNIX, SOCK_STREAM, 0) -> s
A: close(s)                                                  # 0
A: poll([{r, POLLIN}], 0)                                    # 1 [POLLHUP] if unix_scc_unique else 0 [0]
## the same, sent in another order: nothing is forgotten
A: pipe([r, w])                                              # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, x])               # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [b, y])               # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [c, z])               # 0
A: sendmsg(y, {msg_iov=["w"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[a, w]}]}, 0) # 1
A: sendmsg(x, {msg_iov=["b"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[b]}]}, 0) # 1
A: sendmsg(z, {msg_iov=["b"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[b]}]}, 0) # 1
A: sendmsg(y, {msg_iov=["c"], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[c]}]}, 0) # 1
A: close_range(w, z, 0)                                      # 0
A: poll([{r, POLLIN}], 0)                                    # 1 [POLLHUP]
