## ipc-limits: limits as files: each namespace has its own; what they take, and from whom
A: open("/proc/sys/kernel/sem", O_RDWR) -> f
## once; what is written behind the beginning is ignored
A: read(f, 100)                                          # 27
A: read(f, 100)                                          # 0
A: write(f, "1 2 3 4")                                   # 7
A: lseek(f, 0, SEEK_SET)                                 # 0
A: write(f, "1 2 3 4")                                   # 7
A: semget(IPC_PRIVATE, 2, 0600)                          # EINVAL
A: fork() -> B
## B's own namespace has limits of its own, f still shows A's
B: unshare(CLONE_NEWIPC)                                 # 0
B: pread64(f, 100, 0)                                    # 8
B: open("/proc/sys/kernel/sem", O_RDWR) -> g
B: read(g, 100)                                          # 27
B: pwrite64(g, "5 6 7", 0)                               # 5
B: pread64(g, 3, 0)                                      # 3
B: pread64(g, 100, 0)                                    # 12
## numbers are taken one after the other, until one is wrong
B: pwrite64(g, "9 x 7", 0)                               # EINVAL
B: pwrite64(g, "9 8 7 99999", 0)                         # ERANGE
B: pwrite64(g, "", 0)                                    # 0
B: pwrite64(g, "   ", 0)                                 # EINVAL
B: pwrite64(g, "-1 0x10 010 3 foo", 0)                   # 14
B: pwrite64(g, "1,2", 0)                                 # EINVAL
B: pwrite64(g, "- 2", 0)                                 # EINVAL
B: pwrite64(g, "2147483648", 0)                          # EINVAL
B: pwrite64(g, "-2147483648", 0)                         # 11
B: pwrite64(g, "250 32000 500 5\n", 0)                   # 16
B: semget(IPC_PRIVATE, 1, 0666) -> s
B: fork() -> C
## writing 1 removes what is orphaned by then
C: open("/proc/sys/kernel/shm_rmid_forced", O_RDWR) -> h
C: write(h, "2")                                         # EINVAL
C: shmget(IPC_PRIVATE, 1, 0600)                          # 0
C: fork() -> D
D: shmget(IPC_PRIVATE, 1, 0600)                          # 1
D: exit(0)                                               # exited 0
C: write(h, "1\n")                                       # 2
## unsigned longs have no sign
C: open("/proc/sys/kernel/shmmax", O_RDWR) -> i
C: write(i, "-1")                                        # EINVAL
C: write(i, "18446744073709551616")                      # EINVAL
C: write(i, "18446744073709551615")                      # 20
## the next id, for who may restore checkpoints
C: open("/proc/sys/kernel/msg_next_id", O_RDWR) -> j
C: read(j, 10)                                           # 3
C: write(j, "12345")                                     # 5
C: pwrite64(j, "12345", 0)                               # 5
C: msgget(IPC_PRIVATE, 0666)                             # 12345
C: pread64(j, 10, 0)                                     # 3
## and who may not
C: setresuid(7, 7, 7)                                    # 0
C: pread64(j, 10, 0)                                     # 3
C: pwrite64(j, "3", 0)                                   # EPERM
C: pwrite64(i, "3", 0)                                   # EPERM
C: open("/proc/sys/kernel/sem", O_RDWR)                  # EACCES
C: open("/proc/sys/kernel/sem", O_RDONLY|O_TRUNC)        # EACCES
C: open("/proc/sys/kernel/sem", O_RDONLY)                # 5
C: open("/proc/sys/kernel/semx", O_RDONLY)               # ENOENT
C: write(h, "0")                                         # EPERM
## with its last task the namespace goes, and its files lead nowhere
B: exit(0)                                               # exited 0
C: exec()
A: open("/proc/sys/kernel/auto_msgmni", O_RDWR) -> z
A: read(z, 5)                                            # 2
A: pwrite64(z, "1", 0)                                   # 1
A: pwrite64(z, "2", 0)                                   # EINVAL
C: exit(0)                                               # exited 0
