## eventfd: a counter to wait on: who sleeps, who is told, what a semaphore gives
A: eventfd2(3, 0) -> e
A: read(e, 8)                                      # 8 "\x03\x00\x00\x00\x00\x00\x00\x00"
A: read(e, 7)                                      # EINVAL
A: write(e, "1234567")                             # EINVAL
A: write(e, "\xff\xff\xff\xff\xff\xff\xff\xff")    # EINVAL
A: write(e, BAD, 8)                                # EFAULT
A: fork() -> B
A: fork() -> C
## all sleepers are woken, and the first takes it all; who that is differs: Linux 6.1 queues at the head, 6.12 at the end
B: read(e, 8)                                      # blocked
C: read(e, 100)                                    # blocked
A: write(e, "\x05\x00\x00\x00\x00\x00\x00\x00")    # 8
A: write(e, "\x01\x00\x00\x00\x00\x00\x00\x00")    # 8
B: read(e, 8)                                      # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
kill(B, SIGUSR1)                                   # B: SIGUSR1; B: EINTR
## it is full one below the largest number
A: write(e, "\xfe\xff\xff\xff\xff\xff\xff\xff")    # 8
A: poll([{e, POLLIN|POLLOUT}], 0)                  # 1 [POLLIN]
B: write(e, "\x01\x00\x00\x00\x00\x00\x00\x00")    # blocked
A: fcntl(e, F_SETFL, O_NONBLOCK)                   # 0
A: write(e, "\x01\x00\x00\x00\x00\x00\x00\x00")    # EAGAIN
A: read(e, 8)                                      # 8; B: 8
A: read(e, 8)                                      # 8
A: read(e, 8)                                      # EAGAIN
## poll, select and epoll hear of it
A: fcntl(e, F_SETFL, 0)                            # 0
B: poll([{e, POLLIN}], -1)                         # blocked
A: write(e, "\x02\x00\x00\x00\x00\x00\x00\x00")    # 8; B: 1 [POLLIN]
B: select(8, [e], [e], NULL, NULL)                 # 2
A: read(e, 8)                                      # 8
B: epoll_create1(0) -> p
B: epoll_ctl(p, EPOLL_CTL_ADD, e, {EPOLLIN|EPOLLET, 7})    # 0
B: epoll_wait(p, 4, -1)                            # blocked
A: write(e, "\x01\x00\x00\x00\x00\x00\x00\x00")    # 8; B: 1
B: epoll_wait(p, 4, 0)                             # 0
A: write(e, "\x01\x00\x00\x00\x00\x00\x00\x00")    # 8
B: epoll_wait(p, 4, 0)                             # 1
B: epoll_ctl(p, EPOLL_CTL_MOD, e, {EPOLLIN|EPOLLOUT, 8})    # 0
B: epoll_wait(p, 4, 0)                             # 1
## one at a time
A: eventfd2(2, EFD_SEMAPHORE|EFD_NONBLOCK|EFD_CLOEXEC) -> s
A: read(s, 8)                                      # 8 "\x01\x00\x00\x00\x00\x00\x00\x00"
A: read(s, 8)                                      # 8 "\x01\x00\x00\x00\x00\x00\x00\x00"
A: read(s, 8)                                      # EAGAIN
A: eventfd2(0, 2)                                  # EINVAL
A: eventfd(4294967295) -> big
A: read(big, 8)                                    # 8 "\xff\xff\xff\xff\x00\x00\x00\x00"
A: write(big, "\x05\x00\x00\x00\x00\x00\x00\x00more")  # EINVAL if eventfd_write_exact else 8
## as any descriptor: it is sent, copied, and has no place and no data for splice
A: lseek(s, 5, SEEK_SET)                           # 0
A: pread64(s, 8, 0)                                # ESPIPE
A: ioctl(s, FIONREAD)                              # ENOTTY
A: pipe([r, w])                                    # 0
A: splice(s, NULL, w, NULL, 8, 0)                  # EINVAL
A: write(w, "12345678")                            # 8
A: splice(r, NULL, s, NULL, 8, 0)                  # EINVAL
A: mmap(NULL, 4096, PROT_READ, MAP_SHARED, s)      # ENODEV
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])     # 0
A: sendmsg(x, {msg_iov=["."], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [e]}]}, 0)    # 1
A: close(e)                                        # 0
C: close(e)                                        # 0
B: close(e)                                        # 0
A: recvmsg(y, {msg_iov=[10], msg_controllen=64}, 0)    # 1
A: exec()                                          # 0
