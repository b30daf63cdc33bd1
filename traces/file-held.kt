## file-held: timers and files that are not simulated: what they answer is held to what was set, and to what lies in memory
A: timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) -> t
A: timerfd_settime(t, 0, {{0, 5000000}, {0, 1000000}})
wait(100)
A: timerfd_gettime(t)
A: read(t, 8)
A: timerfd_settime(t, TFD_TIMER_ABSTIME, {{0, 0}, {100000, 0}})
A: timerfd_gettime(t)
A: timerfd_settime(t, 0, {{3, 0}, {0, 0}})
A: timerfd_gettime(t)
A: timerfd_settime(t, 0, {{0, 0}, {2, 500}})
A: timerfd_gettime(t)
A: read(t, 8)
A: read(t, 7)
A: open("/proc/self/status", O_RDONLY) -> f
A: fstat(f)
A: open("/sys/kernel/rcu_expedited", O_RDWR) -> y
A: fstat(y)
A: write(y, "0\n")
A: fstat(y)
A: fchmod(y, 0600)
A: fstat(y)
A: open("/proc", O_RDONLY) -> pr
A: fstat(pr)
A: stat("/proc")
A: stat("/sys")
A: stat("/dev")
A: stat("/dev/tty")
A: open("/dev/kmsg", O_RDONLY) -> k
A: fstat(k)
A: setresuid(1000, 1000, 1000)
A: fstat(f)
A: open("/proc/self/status", O_RDONLY) -> g
A: fstat(g)
A: open("/proc/kcore", O_RDONLY)
A: open("/sys/kernel/mm", O_RDONLY) -> d
A: fstat(d)
A: getrlimit(RLIMIT_STACK)
A: getrlimit(RLIMIT_NPROC)
