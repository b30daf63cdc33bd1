## pipe-locked: who exits, is killed or closes while somebody sleeps with the pipe locked waits for the pipe first
A: pipe([r, w])
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])
A: fork() -> B
A: close(r)
B: close(w)
A: splice(t, NULL, w, NULL, 100, 0)   # blocked
## the only reader goes
B: exit(3)                              # blocked
spawn C
kill(A, SIGUSR1)                        # A: EINTR; A: SIGUSR1; B: exited 3
## killed as well, in the order in which they wait
E: pipe([r, w])
E: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])
E: fork() -> F
E: fork() -> G
E: close(r)
G: close(r)
F: close(w)
E: splice(t, NULL, w, NULL, 100, 0)   # blocked
G: write(w, "hello")                   # blocked
kill(G, SIGKILL)
kill(F, SIGKILL)
kill(E, SIGKILL)                        # E: killed SIGKILL; G: killed SIGKILL; F: killed SIGKILL
## two pipes are locked in the order of their addresses
spawn H
H: pipe([r, w])
H: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])
H: fork() -> I
H: fork() -> J
H: splice(t, NULL, w, NULL, 100, 0)   # blocked
I: read(r, 5)                   # blocked
J: tee(r, w, 5, 0)              # EINVAL
J: pipe([r2, w2])
J: splice(r2, NULL, w, NULL, 5, 0)   # blocked
kill(J, SIGUSR1)
J: write(w2, "abc")
J: splice(r2, NULL, w, NULL, 5, 0)   # blocked
kill(H, SIGUSR1)                        # H: EINTR; J: 3; I: 3 "abc"
I: tee(r, w2, 10, 0)
I: splice(s, NULL, w, NULL, 100, SPLICE_F_NONBLOCK)
