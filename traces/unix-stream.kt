## unix-stream: bind, listen, connect and accept on a path and on an abstract name
A: socket(AF_UNIX, SOCK_STREAM) -> l
A: fork() -> B
B: close(l)                                 # 0
B: socket(AF_UNIX, SOCK_STREAM) -> s
B: connect(s, unix("/tmp/stream"))          # ENOENT
A: bind(l, unix("/tmp/stream"))             # 0
B: connect(s, unix("/tmp/stream"))          # ECONNREFUSED
A: bind(l, unix("/tmp/other"))              # EINVAL
A: accept(l)                                # EINVAL
A: listen(l, 1)                             # 0
A: accept(l) -> c                           # blocked
B: connect(s, unix("/tmp/stream"))          # 0; A: _ unix() 2
B: connect(s, unix("/tmp/stream"))          # EISCONN
B: getpeername(s)                           # 0 unix("/tmp/stream") 14
A: getsockname(c)                           # 0 unix("/tmp/stream") 14
B: write(s, "hello")                        # 5
A: read(c, 100)                             # 5 "hello"
A: write(c, "welcome")                      # 7
B: read(s, 100)                             # 7 "welcome"
## a backlog of one holds two; the third connection waits for an accept
B: socket(AF_UNIX, SOCK_STREAM) -> s2
B: socket(AF_UNIX, SOCK_STREAM) -> s3
B: socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK) -> s4
B: connect(s2, unix("/tmp/stream"))         # 0
B: connect(s3, unix("/tmp/stream"))         # 0
B: connect(s4, unix("/tmp/stream"))         # EAGAIN
B: fcntl(s4, F_SETFL, O_RDWR)               # 0
B: connect(s4, unix("/tmp/stream"))         # blocked
A: accept4(l, NULL, NULL, SOCK_CLOEXEC) -> c2        # _; B: 0
A: fcntl(c2, F_GETFD)                       # FD_CLOEXEC
## the listener goes: those that were not accepted are reset
A: close(l)                                 # 0
B: read(s3, 1)                              # ECONNRESET
B: connect(s3, unix("/tmp/stream"))         # ECONNREFUSED
A: unlink("/tmp/stream")                    # 0
## an abstract name needs no file, and is free again once its socket is closed
A: socket(AF_UNIX, SOCK_STREAM) -> x
A: bind(x, unix(@"ktrace"))                 # 0
A: socket(AF_UNIX, SOCK_STREAM) -> y
A: bind(y, unix(@"ktrace"))                 # EADDRINUSE
A: getsockname(x)                           # 0 unix(@"ktrace") 9
A: close(x)                                 # 0
A: bind(y, unix(@"ktrace"))                 # 0
B: exit(0)                                  # exited 0
A: read(c, 1)                               # 0 ""
