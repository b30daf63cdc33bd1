## gc-pipe: the last writer of a pipe lies in a cycle of AF_UNIX sockets, which is collected
## kernel: a jiffy after, the pipe has no writer (net/unix/garbage.c: __unix_gc(), fs/file_table.c: delayed_fput())
A: pipe([r, w])                                    # 0
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [c, d])      # 0
A: sendmsg(c, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [d, w]}]}, 0)   # 1
A: close(w)                                        # 0
A: close(d)                                        # 0
A: close(c)                                        # 0
wait(100)
A: poll([{r, POLLIN}], 0)                          # 1 [POLLHUP]
