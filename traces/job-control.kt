## job-control: process groups and sessions: whom kill(-pgrp), F_SETOWN(-pgrp) and stops from a terminal mean
A: getpid()                                        # A
A: gettid()                                        # A
A: getppid() -> agent
A: getpgid(0) -> outside
A: getpgrp()                                       # outside
A: getpgid(A)                                      # outside
A: getsid(0)                                       # outside
A: getpgid(agent)                                  # outside
A: getsid(1)                                       # 0
A: fork() -> B
A: fork() -> C
## a group without a parent outside it is orphaned: SIGTSTP does nothing to it
A: kill(B, SIGTSTP)                                # 0
B: setpgid(0, 0)                                   # 0
B: getpgrp()                                       # B
A: kill(B, SIGTSTP)                                # B: stopped SIGTSTP
A: kill(B, SIGCONT)                                # B: continued
A: kill(B, SIGTTIN)                                # B: stopped SIGTTIN
A: kill(B, SIGTTOU)                                # 0
A: kill(-B, SIGCONT)                               # B: continued
C: setpgid(C, B)                                   # 0
C: getpgid(B)                                      # B
C: fork() -> D
D: getpgid(0)                                      # B
A: kill(-B, SIGUSR1)                               # D: SIGUSR1; C: SIGUSR1; B: SIGUSR1
D: kill(0, SIGUSR2)                                # B: SIGUSR2; C: SIGUSR2; D: SIGUSR2
A: kill(-B, 0)                                     # 0
A: kill(-A, 0)                                     # ESRCH
A: kill(-999999, SIGTERM)                          # ESRCH
A: kill(-B, 65)                                    # EINVAL
A: kill(-1, SIGUSR1)                               # B: SIGUSR1; C: SIGUSR1; D: SIGUSR1
A: kill(0, SIGUSR1)                                # A: SIGUSR1
A: kill(agent, SIGTERM)                            # 0
A: kill(1, SIGTERM)                                # 0
A: setpgid(B, 0)                                   # ESRCH
A: setpgid(999999, 0)                              # ESRCH
A: setpgid(0, -1)                                  # EINVAL
A: setpgid(0, 999999)                              # EPERM
A: getpgid(999999)                                 # ESRCH
A: getsid(999999)                                  # ESRCH
## a session of one's own
B: setsid()                                        # EPERM
D: setsid()                                        # D
D: getsid(0)                                       # D
D: getsid(B)                                       # outside
D: setsid()                                        # EPERM
D: setpgid(0, 0)                                   # EPERM
A: setpgid(0, D)                                   # EPERM
A: kill(D, SIGTSTP)                                # 0
A: getsid(D)                                       # D
## SIGCONT may go to all of the session, whoever they are
spawn E uid=1000
E: kill(B, SIGTERM)                                # EPERM
E: kill(B, SIGCONT)                                # 0
E: kill(D, SIGCONT)                                # EPERM
E: kill(-B, SIGTERM)                               # EPERM
E: kill(1, SIGTERM)                                # EPERM
E: kill(agent, SIGCONT)                            # 0
## the group outlives its leader, and is whom SIGIO goes to
A: pipe([r, w])                                    # 0
A: fcntl(r, F_SETOWN, -B)                          # 0
A: fcntl(r, F_GETOWN) -> group
A: fcntl(r, F_SETFL, O_ASYNC|O_NONBLOCK)           # 0
A: write(w, "x")                                   # 1; C: SIGIO; B: SIGIO
B: exit(0)                                         # exited 0
A: fcntl(r, F_GETOWN)                              # group
A: write(w, "x")                                   # 1; C: SIGIO
A: kill(group, SIGSTOP)                            # C: stopped SIGSTOP
A: kill(C, SIGKILL)                                # C: killed SIGKILL
A: fcntl(r, F_GETOWN)                              # 0
A: write(w, "x")                                   # 1
A: kill(group, SIGUSR1)                            # ESRCH
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [s1, s2])   # 0
A: setpgid(0, 0)                                   # 0
A: fcntl(s2, F_SETOWN, -A)                         # 0
A: send(s1, "!", MSG_OOB)                          # 1; SIGURG
## its group is its own now: kill(0) does not reach the agent
A: fork() -> F
F: kill(0, SIGSTOP)                                # blocked; A: stopped SIGSTOP; F: stopped SIGSTOP
kill(A, SIGCONT)                                   # A: continued
kill(F, SIGCONT)                                   # F: 0; F: continued
A: kill(-A, SIGKILL)                               # F: killed SIGKILL; A: killed SIGKILL
