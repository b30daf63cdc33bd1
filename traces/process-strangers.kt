## process-strangers: numbers of processes that are no actors: what is known of them, and what is not
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [a, b])                                                               # 0
A: setsockopt(b, SOL_SOCKET, SO_PASSCRED, 1)                                                                # 0
A: sendmsg(a, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=1, uid=5, gid=6}}]}, 0)       # 1
A: recvmsg(b, {msg_iov=[2], msg_controllen=64}, 0)                                                          # 1
A: sendmsg(a, {msg_iov=["2"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=2, uid=0, gid=0}}]}, 0)       # 1
A: recvmsg(b, {msg_iov=[2], msg_controllen=24}, 0)                                                          # 1
A: sendmsg(a, {msg_iov=["3"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=0, uid=0, gid=0}}]}, 0)       # ESRCH
A: sendmsg(a, {msg_iov=["3"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=29999, uid=0, gid=0}}]}, 0)   # ESRCH
A: sendmsg(a, {msg_iov=["3"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=-1, uid=0, gid=0}}]}, 0)      # ESRCH
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])                                                              # 0
A: setsockopt(y, SOL_SOCKET, SO_PASSCRED, 1)                                                                # 0
A: sendmsg(x, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=1, uid=0, gid=0}}]}, 0)       # 1
A: send(x, "2", 0)                                                                                          # 1
A: recvmsg(y, {msg_iov=[8], msg_controllen=64}, 0)                                                          # 1
A: recvmsg(y, {msg_iov=[8], msg_controllen=64}, 0)                                                          # 1
## the name of one that is gone
A: fork() -> B
B: getpid() -> n                                                                                            # n
B: exit(0)                                                                                                  # exited 0
A: sendmsg(a, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=n, uid=0, gid=0}}]}, 0)       # ESRCH
A: prlimit64(n, RLIMIT_CORE)                                                                                # ESRCH
A: tgkill(n, n, 0)                                                                                          # ESRCH
## the first process may be asked for, not the agent for anybody's limits
A: tgkill(1, 1, 0)                                                                                          # 0
A: tgkill(1, 29999, 0)                                                                                      # ESRCH
A: tgkill(A, 1, 0)                                                                                          # ESRCH
A: kill(1, 0)                                                                                               # 0
spawn U uid=1000 gid=1000
U: tgkill(1, 1, 0)                                                                                          # EPERM
U: tgkill(2999, 1, 0)                                                                                       # ESRCH
U: prlimit64(1, RLIMIT_CORE)                                                                                # EPERM
U: kill(1, 0)                                                                                               # EPERM
U: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])                                                              # 0
U: sendmsg(x, {msg_iov=["1"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=1, uid=1000, gid=1000}}]}, 0) # EPERM
