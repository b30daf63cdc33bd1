## signal-pending-limit: RLIMIT_SIGPENDING: who sent a signal is forgotten beyond it, and a second one of its number does not come
A: fork() -> B
B: setrlimit(RLIMIT_SIGPENDING, {0, 0})             # 0
A: kill(B, SIGRTMIN)                                # 0; B: SIGRTMIN
A: kill(B, SIGUSR1)                                 # 0; B: SIGUSR1 sender=A
## tgkill() may lose it with a classic signal, too; kill() keeps those
B: rt_sigprocmask(SIG_BLOCK, 0x600000a00)           # 0
A: kill(B, SIGRTMIN)                                # 0
A: kill(B, SIGRTMIN)                                # 0
A: kill(B, SIGUSR1)                                 # 0
A: tgkill(B, B, SIGUSR2)                            # 0
B: rt_sigprocmask(SIG_SETMASK, 0)                   # 0; SIGUSR1 sender=A; SIGUSR2; SIGRTMIN
## the limit is that of the receiver, and all processes of its user count
spawn D uid=1000 gid=1000
spawn E uid=1000 gid=1000
D: setrlimit(RLIMIT_SIGPENDING, {2, 2})             # 0
D: rt_sigprocmask(SIG_BLOCK, 0x600000a00)           # 0
E: rt_sigprocmask(SIG_BLOCK, 0x600000a00)           # 0
A: kill(D, SIGRTMIN)                                # 0
A: kill(E, SIGRTMIN)                                # 0
A: kill(D, SIGRTMIN)                                # 0
A: kill(D, SIGRTMIN + 1)                            # 0
A: kill(E, SIGRTMIN)                                # 0
E: rt_sigprocmask(SIG_SETMASK, 0)                   # 0; SIGRTMIN sender=A; SIGRTMIN sender=A
## there is room again: what is known of a second one of a number stands in for the one that was lost
A: kill(D, SIGRTMIN + 1)                            # 0
D: rt_sigprocmask(SIG_SETMASK, 0)                   # 0; SIGRTMIN sender=A; SIGRTMIN+1 sender=A
