## process-sleep: sleeping for a time, interrupted and not; no child to wait for; prctl
A: fork() -> B
B: nanosleep({0, 300000000})                       # blocked
wait(2000)                                         # B: 0
B: nanosleep({100, 0})                             # blocked
kill(B, SIGUSR1)                                   # B: SIGUSR1; B: EINTR
B: nanosleep({3, 0})                               # blocked
wait(2500)
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
wait(2000)                                         # B: 0
B: nanosleep({-1, 0})                              # EINVAL
B: nanosleep({0, 1000000000})                      # EINVAL
B: nanosleep(BAD)                                  # EFAULT
B: clock_nanosleep(CLOCK_MONOTONIC, 0, {0, 300000000})     # blocked
wait(2000)                                         # B: 0
B: clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, {0, 0})
wait(100)
B: clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, {0, 1}) # EOPNOTSUPP
B: clock_nanosleep(CLOCK_MONOTONIC_COARSE, 0, {0, 1})    # EOPNOTSUPP
B: clock_nanosleep(99, 0, {0, 1})                  # EINVAL
## A forked B, but as a brother: CLONE_PARENT
A: wait4(B)                                        # ECHILD
A: wait4(-1, WNOHANG)                              # ECHILD
A: wait4(0, WNOHANG|WUNTRACED|WCONTINUED)          # ECHILD
A: wait4(-1, 0x100)                                # EINVAL
A: waitid(P_ALL, 0, WEXITED|WNOHANG)               # ECHILD
A: waitid(P_PID, B, WSTOPPED)                      # ECHILD
A: waitid(P_PID, 0, WEXITED)                       # EINVAL
A: waitid(P_ALL, 0, WNOHANG)                       # EINVAL
A: waitid(7, 0, WEXITED)                           # EINVAL
A: waitid(P_PIDFD, 99, WEXITED)                    # EBADF
B: exit(3)                                         # exited 3
A: wait4(-1, WNOHANG)                              # ECHILD
A: prctl(PR_SET_PDEATHSIG, SIGTERM)                # 0
A: prctl(PR_SET_PDEATHSIG, 65)                     # EINVAL
A: prctl(PR_GET_DUMPABLE)                          # 1
A: prctl(PR_SET_DUMPABLE, 2)                       # EINVAL
A: prctl(PR_SET_DUMPABLE, 0)                       # 0
A: prctl(PR_GET_DUMPABLE)                          # 0
A: prctl(PR_GET_NO_NEW_PRIVS)                      # 0
A: prctl(PR_SET_NO_NEW_PRIVS, 1)                   # 0
A: prctl(PR_GET_NO_NEW_PRIVS)                      # 1
A: fork() -> C
C: prctl(PR_GET_NO_NEW_PRIVS)                      # 1
