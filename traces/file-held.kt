## file-held: timers and files that are not simulated: what they answer is held to what was set, and to what lies in memory
A: timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) -> t
A: timerfd_settime(t, 0, {{0, 5000000}, {0, 1000000}})         # 0
wait(100)
A: timerfd_gettime(t)                                          # 0
A: read(t, 8)                                                  # 8
A: timerfd_settime(t, TFD_TIMER_ABSTIME, {{0, 0}, {100000, 0}}) # 0
A: timerfd_gettime(t)                                          # 0
A: timerfd_settime(t, 0, {{3, 0}, {0, 0}})                     # 0
A: timerfd_gettime(t)                                          # 0
A: timerfd_settime(t, 0, {{0, 0}, {2, 500}})                   # 0
A: timerfd_gettime(t)                                          # 0
A: read(t, 8)                                                  # EAGAIN
A: read(t, 7)                                                  # EINVAL
A: open("/proc/self/status", O_RDONLY) -> f
A: fstat(f)                                                    # 0
A: open("/sys/kernel/rcu_expedited", O_RDWR) -> y
A: fstat(y)                                                    # 0
A: write(y, "0\n")                                             # 2
A: fstat(y)                                                    # 0
A: fchmod(y, 0600)                                             # 0
A: fstat(y)                                                    # 0
A: open("/proc", O_RDONLY) -> pr
A: fstat(pr)                                                   # 0
A: stat("/proc")                                               # 0
A: stat("/sys")                                                # 0
A: stat("/dev")                                                # 0
A: stat("/dev/tty")                                            # 0
A: open("/dev/kmsg", O_RDONLY) -> k
A: fstat(k)                                                    # 0
A: setresuid(1000, 1000, 1000)                                 # 0
A: fstat(f)                                                    # 0
A: open("/proc/self/status", O_RDONLY) -> g
A: fstat(g)                                                    # 0
A: open("/proc/kcore", O_RDONLY)                               # EACCES
A: open("/sys/kernel/mm", O_RDONLY) -> d
A: fstat(d)                                                    # 0
A: getrlimit(RLIMIT_STACK)                                     # 0
A: getrlimit(RLIMIT_NPROC)                                     # 0
