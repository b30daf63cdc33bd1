## pipe-locked: who exits, is killed or closes while somebody sleeps with the pipe locked waits for the pipe first
A: pipe([r, w])                                       # 0
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])        # 0
A: fork() -> B
A: close(r)                                           # 0
B: close(w)                                           # 0
A: splice(t, NULL, w, NULL, 100, 0)   # blocked
## the only reader goes
B: exit(3)                              # blocked
spawn C
kill(A, SIGUSR1)                        # A: EINTR; A: SIGUSR1; B: exited 3
## killed as well, in the order in which they wait
E: pipe([r, w])                                       # 0
E: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])        # 0
E: fork() -> F
E: fork() -> G
E: close(r)                                           # 0
G: close(r)                                           # 0
F: close(w)                                           # 0
E: splice(t, NULL, w, NULL, 100, 0)   # blocked
G: write(w, "hello")                   # blocked
kill(G, SIGKILL)
kill(F, SIGKILL)
kill(E, SIGKILL)                        # E: killed SIGKILL; G: killed SIGKILL; F: killed SIGKILL
## two pipes are locked in the order of their addresses
spawn H
H: pipe([r, w])                                       # 0
H: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])        # 0
H: fork() -> I
H: fork() -> J
H: splice(t, NULL, w, NULL, 100, 0)   # blocked
I: read(r, 5)                   # blocked
J: tee(r, w, 5, 0)              # EINVAL
J: pipe([r2, w2])                                     # 0
J: splice(r2, NULL, w, NULL, 5, 0)   # blocked
kill(J, SIGUSR1)                                      # J: SIGUSR1; J: EINTR
J: write(w2, "abc")                                   # 3
J: splice(r2, NULL, w, NULL, 5, 0)   # blocked
kill(H, SIGUSR1)                        # H: EINTR; J: 3; I: 3 "abc"
I: tee(r, w2, 10, 0)                                  # EBADF
I: splice(s, NULL, w, NULL, 100, SPLICE_F_NONBLOCK)   # EAGAIN
