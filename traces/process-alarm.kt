## process-alarm: alarm and setitimer: a sleeper that is interrupted, blocked and ignored signals, fork, exec, intervals
A: alarm(1)                                        # 0
A: alarm(100)                                      # 1
A: alarm(0)                                        # _
A: getitimer(ITIMER_REAL)                          # 0 {it_value={0, 0}}
A: setitimer(ITIMER_REAL, {{0, 0}, {1, 0}})        # 0
wait(9000)                                         # A: SIGALRM
A: pipe([r, w])                                    # 0
A: alarm(1)                                        # 0
A: read(r, 10)                                     # blocked
wait(9000)                                         # A: SIGALRM; A: EINTR
A: sigaction(SIGALRM, RECORD_RESTART)              # 0
A: setitimer(ITIMER_REAL, {{0, 0}, {1, 0}})        # 0
A: read(r, 10)                                     # blocked
wait(9000)                                         # A: SIGALRM
kill(A, SIGUSR1)                                   # A: SIGUSR1; A: EINTR
A: alarm(500)                                      # 0
A: fork() -> B
B: alarm(0)                                        # 0
A: exec()                                          # 0
A: getitimer(ITIMER_REAL) -> _, curr_value=v       # 0
A: setitimer(ITIMER_REAL, {{1000, 5}, {2000, 5}})  # 0
A: setitimer(ITIMER_REAL, NULL)                    # 0
A: setitimer(ITIMER_REAL, {{0, 0}, {0, 1000000}})  # EINVAL
A: setitimer(7, {{0, 0}, {0, 0}})                  # EINVAL
A: setitimer(ITIMER_REAL, BAD)                     # EFAULT
A: rt_sigprocmask(SIG_BLOCK, 0x2000)               # 0
A: setitimer(ITIMER_REAL, {{0, 0}, {0, 30000}})    # 0
wait(300)
A: rt_sigprocmask(SIG_SETMASK, 0)                  # 0; SIGALRM
A: sigaction(SIGALRM, SIG_IGN)                     # 0
A: setitimer(ITIMER_REAL, {{0, 0}, {0, 30000}})    # 0
wait(300)
A: getitimer(ITIMER_REAL)                          # 0 {it_value={0, 0}}
A: sigaction(SIGALRM, SIG_DFL)                     # 0
A: setitimer(ITIMER_REAL, {{0, 0}, {1, 0}})        # 0
wait(9000)                                         # A: killed SIGALRM
B: setitimer(ITIMER_REAL, {{2, 0}, {1, 0}})        # 0
wait(9000)                                         # B: SIGALRM
wait(9000)                                         # B: SIGALRM
B: alarm(0)                                        # _
B: setitimer(ITIMER_PROF, {{0, 0}, {0, 0}})        # 0
