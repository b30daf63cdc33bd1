## file-kinds: devices, procfs and files that lay there before, which are opened, shared and passed on like others
A: open("/dev/null", O_RDWR) -> n               # 0
A: write(n, "gone")                             # 4
A: read(n, 10)                                  # 0 ""
A: lseek(n, 100, SEEK_SET)                      # 0
A: open("/dev/zero", O_RDONLY) -> z             # 1
A: read(z, 8)                                   # 8 "\0\0\0\0\0\0\0\0"
A: open("/dev/full", O_RDWR) -> f               # 2
A: write(f, "too much")                         # ENOSPC
## what a pipe held goes nowhere
A: pipe([r, w])                                 # 0 [3, 4]
A: write(w, "thrown away")                      # 11
A: splice(r, NULL, n, NULL, 100, 0)             # 11
A: poll([{n, POLLIN}, {r, POLLIN}], 0)          # 1
## of procfs and sysfs the model knows names and descriptors, not contents
A: open("/proc/self/maps", O_RDONLY) -> m       # 5
A: read(m, 10)                                  # _
A: lseek(m, 0, SEEK_SET)                        # 0
A: open("/proc/self/maps", O_RDONLY) -> m2      # 6
A: dup(m) -> m3                                 # 7
A: fork() -> B
B: read(m, 4096)
A: read(m3, 10)
A: open("/proc/self/fd", O_RDONLY|O_DIRECTORY) -> d   # 8
A: open("/proc/1/status", O_RDONLY) -> s        # 9
A: open("/proc/nothing", O_RDONLY)              # ENOENT
A: open("/proc/cpuinfo", O_WRONLY)
A: open("/sys/kernel/rcu_expedited", O_RDONLY) -> e   # 11
A: read(e, 10)                                  # 2 "1\n"
A: stat("/proc")                                # 0
A: access("/sys/kernel", 0)                     # 0
A: mkdir("/sys/kernel/none", 0700)              # EPERM
## a descriptor is a descriptor: flags, the table, messages
A: fcntl(m, F_SETFD, FD_CLOEXEC)                # 0
A: fcntl(m, F_GETFL)                            # _
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [a, b])   # 0
A: sendmsg(a, {msg_iov=["a file"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [m, n]}]}, 0)   # 6
A: close(m)                                     # 0
A: recvmsg(b, {msg_iov=[10], msg_controllen=64}, 0)                                      # 6
## who polls a device and a pipe hears of the pipe; who reads the kernel's log sleeps where it ends
B: open("/dev/kmsg", O_RDONLY) -> k             # 8
B: lseek(k, 0, SEEK_END)                        # 0
B: poll([{k, POLLIN}, {r, POLLIN}], 5000)       # blocked
A: write(w, "x")                                # 1; B: 1 [0, POLLIN]
B: select(9, [r, k], NULL, NULL, {0, 0})        # 1 [r]
B: read(k, 1000)                                # blocked
## what lay there at the start
A: open("/init", O_RDONLY) -> i
A: read(i, 4)                                   # 4 "\x7fELF"
A: open("/init", O_WRONLY)                      # ETXTBSY
A: open("/", O_RDONLY) -> root
A: fstat(root)                                  # 0
kill(B, SIGKILL)                                # B: killed SIGKILL
