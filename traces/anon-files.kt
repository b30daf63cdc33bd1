## anon-files: timerfd, signalfd, inotify and pidfd: descriptors that are opened, passed on and closed as any; what they tell is taken as seen
A: timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) -> t
A: timerfd_settime(t, 0, {{0, 0}, {0, 1000000}})   # 0
wait(100)
A: poll([{t, POLLIN}], 1000)                       # 1 [POLLIN]
A: read(t, 8)                                      # 8
A: read(t, 8)                                      # EAGAIN
A: timerfd_gettime(t)                              # 0
A: timerfd_create(99)                              # EINVAL
A: timerfd_create(CLOCK_REALTIME, 1)               # EINVAL
A: fcntl(t, F_GETFL)                               # O_RDWR|O_NONBLOCK
A: dup(t) -> t2
A: lseek(t, 0, SEEK_SET)                           # 0
A: pread64(t, 8, 0)                                # ESPIPE
A: mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, t)     # ENODEV
A: rt_sigprocmask(SIG_BLOCK, 0x200)                # 0
A: signalfd4(-1, 0x200, SFD_CLOEXEC) -> s
A: signalfd4(s, 0x300)                             # s
A: signalfd4(t, 0x300)                             # EINVAL
A: poll([{s, POLLIN}], 0)                          # 0
A: kill(A, SIGUSR1)                                # 0
A: poll([{s, POLLIN}], 0)                          # 1 [POLLIN]
## a kernel may be built without inotify, as lab-6.1 is
A: inotify_init1(IN_NONBLOCK)                      ## ENOSYS, or a descriptor
A: fork() -> B
A: pidfd_open(B) -> p
A: fcntl(p, F_GETFD)                               # FD_CLOEXEC
A: pidfd_send_signal(p, SIGUSR2)                   # 0; B: SIGUSR2 sender=A
A: pidfd_send_signal(t, SIGUSR2)                   # EBADF
A: waitid(P_PIDFD, p, WEXITED)                     # ECHILD
A: waitid(P_PIDFD, t, WEXITED)                     # EBADF
A: read(p, 1)                                      # EINVAL
A: pidfd_open(0)                                   # EINVAL
A: pidfd_open(B, 1)                                # EINVAL
A: poll([{p, POLLIN}], 0)                          # 0
B: exit(0)                                         # exited 0
A: poll([{p, POLLIN}], 0)                          # 1
A: pidfd_send_signal(p, 0)                         # ESRCH
A: pipe([r, w])                                    # 0
A: splice(t, NULL, w, NULL, 8, 0)                  # EINVAL
A: write(w, "12345678")                            # 8
A: splice(r, NULL, t, NULL, 8, 0)                  # EINVAL
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])     # 0
A: sendmsg(x, {msg_iov=["."], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [t, s]}]}, 0)    # 1
A: close(t)                                        # 0
A: close(t2)                                       # 0
A: recvmsg(y, {msg_iov=[10], msg_controllen=64}, 0)    # 1
A: exec()                                          # 0
