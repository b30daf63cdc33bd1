## socket-timeout: SO_RCVTIMEO and SO_SNDTIMEO: every kind of wait on a socket ends by itself
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])       # 0
A: fork() -> B
A: setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=1000000})   # EDOM
A: setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=40001})     # 0
## in jiffies of 4 ms, rounded up
A: getsockopt(a, SOL_SOCKET, SO_RCVTIMEO)            # 0 {tv_sec=0, tv_usec=44000} 16
A: recv(a, 10, 0)                                    # blocked
wait(5000)                                           # A: EAGAIN
## what came before the time was over is kept
B: write(b, "half")                                  # 4
A: recv(a, 10, MSG_WAITALL)                          # blocked
wait(5000)                                           # A: 4 "half"
## a full peer: the sender gives up, with what it has sent
A: setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, {tv_sec=0, tv_usec=40000})     # 0
A: setsockopt(a, SOL_SOCKET, SO_SNDBUF, 2048)        # 0
A: write(a, "x" * 20000)                             # blocked
wait(5000)                                           # A: _
A: write(a, "y")                                     # blocked
wait(5000)                                           # A: EAGAIN
## nobody connects
A: socket(AF_UNIX, SOCK_STREAM) -> l
A: bind(l, unix(@"server"))                          # 0
A: listen(l, 0)                                      # 0
A: setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=40000})     # 0
A: accept(l, NULL, NULL)                             # blocked
wait(5000)                                           # A: EAGAIN
## nobody accepts: a backlog of 0 holds one
A: socket(AF_UNIX, SOCK_STREAM) -> s
A: connect(s, unix(@"server"))                       # 0
A: socket(AF_UNIX, SOCK_STREAM) -> s2
A: setsockopt(s2, SOL_SOCKET, SO_SNDTIMEO, {tv_sec=0, tv_usec=40000})    # 0
A: connect(s2, unix(@"server"))                      # blocked
wait(5000)                                           # A: EAGAIN
## nobody reads datagrams
A: socket(AF_UNIX, SOCK_DGRAM) -> r
A: bind(r, unix(@"inbox"))                           # 0
A: socket(AF_UNIX, SOCK_DGRAM) -> d
A: setsockopt(d, SOL_SOCKET, SO_SNDTIMEO, {tv_sec=0, tv_usec=40000})     # 0
repeat 11 {
  A: sendto(d, "x", 0, unix(@"inbox"))               # 1
}
A: sendto(d, "x", 0, unix(@"inbox"))                 # blocked
wait(5000)                                           # A: EAGAIN
A: setsockopt(d, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=40000})     # 0
A: recv(d, 10, 0)                                    # blocked
wait(5000)                                           # A: EAGAIN
## TCP and UDP
A: socket(AF_INET, SOCK_STREAM) -> t
A: setsockopt(t, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=40000})     # 0
A: bind(t, inet("127.0.0.1", 5000))                  # 0
A: listen(t, 1)                                      # 0
A: accept(t, NULL, NULL)                             # blocked
wait(5000)                                           # A: EAGAIN
A: socket(AF_INET, SOCK_STREAM) -> c
A: connect(c, inet("127.0.0.1", 5000))               # 0
## accept() hands the listener's timeout on
A: accept(t, NULL, NULL) -> e
A: getsockopt(e, SOL_SOCKET, SO_RCVTIMEO)            # 0 {tv_sec=0, tv_usec=40000} 16
A: recv(e, 10, 0)                                    # blocked
wait(5000)                                           # A: EAGAIN
A: socket(AF_INET, SOCK_DGRAM) -> u
A: setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=40000})     # 0
A: bind(u, inet("127.0.0.1", 6000))                  # 0
A: recv(u, 10, 0)                                    # blocked
wait(5000)                                           # A: EAGAIN
## with a timeout, a handler does not have the call start again, not even with SA_RESTART
B: sigaction(SIGUSR1, RECORD_RESTART)                # 0
B: setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=100, tv_usec=0})       # 0
B: read(b, 100000)                                   # _
B: read(b, 10)                                       # blocked
A: kill(B, SIGUSR1)                                  # 0; B: SIGUSR1; B: EINTR
B: setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=0})         # 0
B: read(b, 10)                                       # blocked
A: kill(B, SIGUSR1)                                  # 0; B: SIGUSR1; B: blocked
