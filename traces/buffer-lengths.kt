## buffer-lengths: calls that count more than they were given read zeros behind it, never what an earlier call left
A: pipe([r, w])                                    # 0
A: write(w, "\xff" * 4000)                         # 4000
A: read(r, 4000)                                   # 4000
A: write(w, "abc", count=10)                       # 10
A: read(r, 100)                                    # 10 "abc\0\0\0\0\0\0\0"
A: writev(w, ["ab", "cd"], iovcnt=5)               # 4
A: readv(r, [1, 2], iovcnt=4)                      # 3 "abc"
A: vmsplice(w, [], nr_segs=2)                      # 0
A: memfd_create("m", 0) -> m
A: pwrite64(m, "x", 8, 100)                        # 8
A: pread64(m, 20, 100)                             # 8 "x\0\0\0\0\0\0\0"
A: poll([{w, POLLOUT}], 3, 0)                      # _
A: ppoll([{w, POLLOUT}], NULL, NULL, nfds=2)       # _
A: setgroups([5], size=3)                          # 0
## addresses
A: socket(AF_UNIX, SOCK_DGRAM) -> f
A: bind(f, unix(@"first, and long enough"))        # 0
A: socket(AF_UNIX, SOCK_DGRAM) -> k
A: bind(k, unix(@"ab"), 10)                        # 0
A: getsockname(k)                                  # 0
A: socket(AF_UNIX, SOCK_DGRAM) -> s
A: sendto(s, "x", dest_addr=unix(@"ab"))           # ECONNREFUSED
A: sendto(s, "x", dest_addr=unix(@"ab"), addrlen=10)   # 1
A: sendto(s, "xy", len=5, dest_addr=unix(@"ab"), addrlen=10)   # 5
A: sendmsg(s, {msg_name=unix(@"ab"), msg_namelen=10, msg_iov=["y"]}, 0)   # 1
A: connect(s, unix(@"ab"), 10)                     # 0
A: recv(k, 10, 0)                                  # 1
A: recv(k, 10, 0)                                  # 5 "xy\0\0\0"
## messages: headers of zeros say nothing, and still send and take one
A: sendmmsg(s, [{msg_iov=["one"]}], vlen=3)        # 3
A: recvmmsg(k, [{msg_iov=[10], msg_namelen=0, msg_controllen=0}], vlen=3)   # 3
A: recv(k, 10, MSG_DONTWAIT)                       # 0
A: sendmsg(s, {msg_iov=["c"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [r]}], msg_controllen=28}, 0)   # 1
A: sendmsg(s, {msg_iov=["c"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [r]}], msg_controllen=64}, 0)   # EINVAL
A: sendmsg(s, {msg_iov=["c"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [r]}], msg_controllen=1000000}, 0)  # ENOBUFS
A: sendmsg(s, {msg_iov=["c"], msg_controllen=16}, 0)   # EFAULT
## options, and what {a, b} means to each
A: socket(AF_INET, SOCK_DGRAM) -> u
A: setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, {0, 40000})  # 0
A: getsockopt(u, SOL_SOCKET, SO_RCVTIMEO)          # 0
A: setsockopt(u, SOL_SOCKET, SO_LINGER, {1, 5})    # 0
A: getsockopt(u, SOL_SOCKET, SO_LINGER)            # 0
A: setsockopt(u, SOL_SOCKET, SO_SNDTIMEO, {1, 2000000})    # EDOM
A: setsockopt(u, SOL_IP, IP_ADD_MEMBERSHIP, {"224.1.1.1", "127.0.0.1"})     # 0
A: setsockopt(u, SOL_IP, IP_DROP_MEMBERSHIP, {"224.1.1.1", "0.0.0.0", 1})   # 0
A: setsockopt(u, SOL_IP, IP_MULTICAST_IF, {"0.0.0.0", "127.0.0.1"})         # 0
A: setsockopt(u, SOL_SOCKET, SO_PRIORITY, 3, 8)    # 0
A: setsockopt(u, SOL_SOCKET, SO_PRIORITY, {4, 5})  # 0
A: getsockopt(u, SOL_SOCKET, SO_PRIORITY)          # 0 4
A: setsockopt(u, SOL_SOCKET, SO_LINGER, 0, 8)      # 0
## System V
A: semget(IPC_PRIVATE, 2, 0600) -> sem
A: semop(sem, [{1, 1, 0}], nsops=2)                # _
A: msgget(IPC_PRIVATE, 0600) -> q
A: msgsnd(q, {1, "text"}, 9, 0)                    # 0
A: msgrcv(q, 20, 0, 0)                             # 9
