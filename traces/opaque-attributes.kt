## opaque-attributes: times, owners and places of files that are not simulated; what has no write, and what is no directory
A: open("/proc/sys/kernel/sem", O_RDWR) -> s                    # 0
A: fstat(s) # 0
## a file without a size is cut to any, and has new times
A: ftruncate(s, 5000)                                           # 0
A: fstat(s)                                                     # 0 statbuf={st_size=0}
A: ftruncate(s, -1)                                             # EINVAL
A: open("/sys/kernel/rcu_expedited", O_RDWR) -> y               # 1
A: ftruncate(y, 5000)                                           # 0
A: fstat(y)                                                     # 0
## what tells of a process belongs to whom it is given, for a while
A: open("/proc/self/maps", O_RDONLY) -> m                       # 2
A: fchown(m, 3, 4)                                              # 0
A: fchmod(m, 0400)                                              # EPERM
A: fstat(m)                                                     # 0
A: fchown(m, -1, 7)                                             # 0
## one that is read like a pipe has no place to write at
A: open("/proc/self/maps", O_RDONLY) -> n                       # 3
A: pwrite64(n, "xy", 2, 1)                                      # ESPIPE
A: pread64(n, 10, 0)
## no write, no directory, and nothing to open again
A: timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) -> t           # 4
A: write(t, "12345678")                                         # EINVAL
A: writev(t, ["1234", "5678"])                                  # EINVAL
A: pwrite64(t, "12345678", 8, 0)                                # ESPIPE
A: openat(t, "x", O_RDWR|O_CREAT, 0600)                         # ENOTDIR
A: open("/proc/self/fd/4", O_RDONLY)                            # ENXIO
A: signalfd4(-1, 1, 0) -> g                                     # 5
A: write(g, "12345678")                                         # EINVAL
A: openat(g, "x", O_RDWR|O_CREAT, 0600)                         # ENOTDIR
A: open("/proc/self/fd/5", O_RDONLY)                            # ENXIO
A: eventfd2(0, 0) -> v                                          # 6
A: openat(v, "x", O_RDWR|O_CREAT, 0600)                         # ENOTDIR
A: open("/proc/self/fd/6", O_RDONLY)                            # ENXIO
A: fchown(v, 3, 4)
A: fchmod(v, 0777)
A: ftruncate(v, 0)                                              # EINVAL
