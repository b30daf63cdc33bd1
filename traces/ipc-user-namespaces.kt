## ipc-user-namespaces: whose capabilities count over an IPC namespace, and what owners are called in another user namespace
spawn U uid=1000 gid=1000
U: unshare(CLONE_NEWIPC)                                 # EPERM
U: semget(0x5, 1, IPC_CREAT|0600) -> s0
U: unshare(CLONE_NEWUSER|CLONE_NEWIPC)                   # 0
U: geteuid()                                             # 65534
U: semget(0x5, 1, IPC_CREAT|0) -> s
U: semctl(s, 0, GETVAL)                                  # 0
U: semctl(s, 0, IPC_STAT)                                # 0
U: semctl(s, 0, IPC_SET, {uid=1000, gid=1000, mode=0600}) # EINVAL
U: setresuid(0, 0, 0)                                    # EINVAL
U: setgroups([1])                                        # EPERM
U: msgget(IPC_PRIVATE, 0) -> q
U: msgctl(q, IPC_SET, {uid=0, gid=0, mode=0, msg_qbytes=100000}) # EPERM
U: open("/proc/self/uid_map", O_RDWR)                    # EACCES
U: open("/proc/self/uid_map", O_RDONLY) -> ro
U: read(ro, 100)                                         # 0
U: open("/proc/sys/kernel/sem", O_RDWR)                  # EACCES
U: fork() -> V
V: semctl(s, 0, SETVAL, 3)                               # 0
## root maps ids for it
A: open("/proc/self/uid_map", O_RDONLY) -> m0
A: read(m0, 100)                                         # 33
spawn W uid=1001 gid=1001
## after an exec the files below /proc/self are W's own, and it may map itself
W: exec()
W: unshare(CLONE_NEWUSER)                                # 0
W: unshare(CLONE_NEWIPC)                                 # 0
W: open("/proc/self/uid_map", O_RDWR) -> um
W: write(um, "0 1000 1")                                 # EPERM
W: write(um, "0 1001")                                   # EINVAL
W: write(um, "0 1001 2")                                 # EPERM
W: write(um, "0 1001 0")                                 # EINVAL
W: write(um, "0 1001 1\n")                               # 9
W: write(um, "0 1001 1\n")                               # EINVAL
W: pread64(um, 100, 0)                                   # 33
W: geteuid()                                             # 0
W: getegid()                                             # 65534
## groups only once setgroups is given up
W: open("/proc/self/gid_map", O_RDWR) -> gm
W: write(gm, "5 1001 1")                                 # EPERM
W: open("/proc/self/setgroups", O_RDWR) -> sg
W: read(sg, 10)                                          # 6
W: write(sg, "deny")                                     # EINVAL
W: pwrite64(sg, "deny", 0)                               # ESPIPE
W: lseek(sg, 0, SEEK_SET)                                # 0
W: write(sg, "deny")                                     # 4
W: lseek(sg, 0, SEEK_SET)                                # 0
W: write(sg, "deny")                                     # 4
W: lseek(sg, 0, SEEK_SET)                                # 0
W: write(sg, "allow")                                    # EPERM
W: write(gm, "5 1001 1")                                 # 8
W: getegid()                                             # 5
W: setgroups([5])                                        # EPERM
## owners are called by their names in here
W: shmget(7, 8192, IPC_CREAT|0600) -> m
W: shmctl(m, IPC_STAT)                                   # 0
W: shmctl(m, IPC_SET, {uid=0, gid=5, mode=0660})         # 0
W: shmctl(m, IPC_SET, {uid=1, gid=5, mode=0660})         # EINVAL
W: shmctl(m, SHM_LOCK)                                   # 0
W: shmctl(m, IPC_STAT)                                   # 0
## root of its own namespace may change its limits
W: open("/proc/sys/kernel/shmmax", O_RDWR) -> sm
W: write(sm, "4096")                                     # 4
W: shmget(IPC_PRIVATE, 8192, 0600)                       # EINVAL
W: setresuid(0, 0, 0)                                    # 0
W: setresuid(1, 1, 1)                                    # EINVAL
W: open("/proc/sysvipc/shm", O_RDONLY) -> sv
W: read(sv, 500)                                         # 340
## and root outside sees who they really are
A: open("/proc/sysvipc/sem", O_RDONLY) -> sv0
A: read(sv0, 500)                                        # 170
W: fork() -> X
X: exec()
X: shmctl(m, SHM_UNLOCK)                                 # 0
X: shmctl(m, IPC_RMID)                                   # 0
## one level further down: no names, no rights above
X: unshare(CLONE_NEWUSER)                                # 0
X: shmget(7, 1, IPC_CREAT|0)                             # 1
X: shmctl(0, SHM_INFO)                                   # 1
X: unshare(CLONE_NEWIPC)                                 # 0
X: shmget(7, 1, IPC_CREAT|0) -> y
X: shmctl(y, SHM_LOCK)                                   # 0
## real root's child gives its rights up
A: open("/proc/self/ns/ipc", O_RDONLY) -> home
A: fork(CLONE_NEWUSER|CLONE_NEWIPC) -> Y
Y: geteuid()                                             # 65534
Y: setns(home, 0)                                        # EPERM
Y: semget(IPC_PRIVATE, 1, 0) -> z
Y: semop(z, [{0, 1, SEM_UNDO}])                          # 0
Y: kill(A, SIGUSR1)                                      # 0; A: SIGUSR1
W: kill(A, SIGUSR1)                                      # EPERM
A: kill(W, SIGUSR1)                                      # 0; W: SIGUSR1
U: kill(V, SIGUSR1)                                      # 0; V: SIGUSR1
A: fork(CLONE_NEWUSER|CLONE_FS) -> Z                     # EINVAL
