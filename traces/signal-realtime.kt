## signal-realtime: real-time signals: recorded, queued, and deadly without a handler
A: fork() -> B
A: fork() -> C
A: fork() -> D
A: fork() -> E
A: kill(B, SIGRTMIN + 1)                    # 0; B: SIGRTMIN+1 sender=A
B: sigaction(SIGRTMIN + 1, SIG_IGN)         # 0
A: kill(B, SIGRTMIN + 1)                    # 0
B: sigaction(SIGRTMIN + 1, SIG_DFL)         # 0
kill(B, 35)                                 # B: killed SIGRTMIN+1
## the last one ends a sleeper
C: sigaction(SIGRTMAX, SIG_DFL)             # 0
C: pipe([r, w])                             # 0
C: read(r, 1)                               # blocked
A: kill(C, SIGRTMAX)                        # 0; C: killed SIGRTMAX
## the two that the C library keeps for itself are like the others to the kernel
D: sigaction(32, SIG_DFL)                   # 0
D: kill(D, 32)                              # killed SIG32
## each one sent is kept where the classic ones merge, and the lowest number comes first
E: rt_sigprocmask(SIG_BLOCK, 0x6000000800000200)     # 0
A: kill(E, SIGRTMAX - 1)                    # 0
A: kill(E, SIGRTMIN + 2)                    # 0
A: kill(E, SIGUSR1)                         # 0
A: kill(E, SIGRTMIN + 2)                    # 0
A: kill(E, SIGUSR1)                         # 0
E: rt_sigprocmask(SIG_SETMASK, 0)           # 0; SIGUSR1; SIGRTMIN+2; SIGRTMAX-1
E: sigaction(SIGRTMAX - 2, SIG_DFL)         # 0
E: kill(E, SIGRTMAX - 2)                    # killed SIGRTMAX-2
