## pipe-waits: timeouts, masks and readiness: select, poll and epoll, nested, exclusive, once
A: pipe([r, w])                                       # 0
A: fork() -> B
A: select(0, NULL, NULL, NULL, {0, 0})                # 0
A: select(-1, NULL, NULL, NULL, {0, 0})   # EINVAL
A: select(5, [r, 4], NULL, NULL, {0, 0})   # EBADF
A: select(5000, [r], [w], [r, w], {0, 0})             # 1
A: select(1, [r, 100], [w], NULL, {0, 0})             # 0
A: select(70, [r, 80], [w], NULL, {0, 0})             # 1
A: select(2, BAD, NULL, NULL, {0, 0})   # EFAULT
A: write(w, "a")                                      # 1
A: select(2, [r, w], [r, w], [r, w], {0, 0})          # 2
A: select(2, [r, w], [r, w], [r, w], NULL)            # 2
A: read(r, 1)                                         # 1
A: select(2, NULL, NULL, [r], {0, 100000})    # blocked
wait(3000)                                            # A: 0
A: poll([{r, POLLIN|POLLPRI|POLLRDNORM}, {w, POLLOUT|POLLWRNORM}, {-1, POLLIN}, {99, POLLIN}], 0)# 2
A: poll([{r, 0}, {w, 0}], 0)                          # 0
A: poll(BAD, 0, nfds=1)    # EFAULT
A: poll(BAD, 0, nfds=0)                               # 0
A: poll([{r, POLLIN}], 0, nfds=5000)   # EINVAL
A: rt_sigprocmask(SIG_BLOCK, 0x200)                   # 0
kill(A, SIGUSR1)
A: ppoll([{r, POLLIN}], {0, 0}, 0x200)                # 0
A: ppoll([{r, POLLIN}], NULL, 0)       # EINTR
kill(A, SIGUSR1)
A: pselect6(1, [r], NULL, NULL, {0, 100000000})         # blocked
wait(1000)                                            # A: 0
A: poll([{r, POLLIN}], 100)                           # blocked
wait(3000)                                            # A: 0
A: rt_sigprocmask(SIG_UNBLOCK, 0x200)                 # SIGUSR1; 0
B: ppoll([{r, POLLIN}], NULL, 0x200)   # blocked
kill(B, SIGUSR1)
A: write(w, "go")                                     # 2; B: SIGUSR1; B: 1
B: read(r, 10)                                        # 2
B: sigaction(SIGUSR2, RECORD_RESTART)                 # 0
B: poll([{r, POLLIN}], -1)         # blocked
kill(B, SIGUSR2)                                      # B: SIGUSR2; B: EINTR
B: select(1, [r], NULL, NULL, NULL)         # blocked
kill(B, SIGUSR2)                                      # B: SIGUSR2; B: EINTR
B: read(r, 10)         # blocked
kill(B, SIGUSR2)                                      # B: SIGUSR2
A: write(w, "go")                                     # 2; B: 2
A: close(w)                                           # 0
B: close(w)                                           # 0
A: poll([{r, POLLIN}], -1)                            # 1
A: select(1, [r], NULL, [r], NULL)                    # 1
A: pipe([x, y])                                       # 0
A: close(x)                                           # 0
A: poll([{y, POLLOUT}], -1)                           # 1
A: poll([{y, POLLIN}], -1)                            # 1
A: select(8, NULL, [y], NULL, NULL)                   # 1
A: select(8, [y], NULL, NULL, {0, 0})                 # 1
W: pipe([r, w])                                       # 0
W: pipe([r2, w2])                                     # 0
W: epoll_create1(EPOLL_CLOEXEC) -> ep
W: epoll_create1(1)     # EINVAL
W: epoll_ctl(ep, EPOLL_CTL_ADD, r, {EPOLLIN|EPOLLET, 1})# 0
W: epoll_ctl(ep, EPOLL_CTL_ADD, w, {EPOLLOUT|EPOLLET, 2})# 0
W: epoll_ctl(ep, EPOLL_CTL_ADD, r2, {EPOLLIN|EPOLLONESHOT, 3})# 0
W: epoll_ctl(ep, EPOLL_CTL_ADD, w2, {0, 4})           # 0
W: epoll_ctl(ep, 77, w2, {0, 4})       # EINVAL
W: epoll_ctl(ep, EPOLL_CTL_MOD, 77, {0, 4})       # EBADF
W: epoll_ctl(77, EPOLL_CTL_MOD, r, {0, 4})       # EBADF
W: epoll_ctl(r, EPOLL_CTL_ADD, r, {0, 4})       # EINVAL
W: epoll_ctl(r, EPOLL_CTL_ADD, w, {0, 4})       # EINVAL
W: epoll_ctl(ep, EPOLL_CTL_ADD, r, BAD)       # EFAULT
W: epoll_ctl(ep, EPOLL_CTL_DEL, w2, BAD)       # 0
W: epoll_ctl(ep, EPOLL_CTL_MOD, w2, {EPOLLOUT, 5})       # ENOENT
W: epoll_wait(ep, 0, 0)       # EINVAL
W: epoll_wait(ep, -1, 0)       # EINVAL
W: epoll_wait(r, 1, 0)       # EINVAL
W: epoll_wait(77, 1, 0)       # EBADF
W: epoll_wait(ep, 1, 0)                               # 1
W: epoll_wait(ep, 10, 0)                              # 0
W: write(w, "x")                                      # 1
W: write(w2, "y")                                     # 1
W: epoll_wait(ep, 1, 0)                               # 1
W: epoll_wait(ep, 10, 0)                              # 1
W: epoll_wait(ep, 10, 0)                              # 0
W: epoll_ctl(ep, EPOLL_CTL_MOD, r2, {EPOLLIN|EPOLLONESHOT, 33})# 0
W: epoll_wait(ep, 10, 0, events=BAD)     # EFAULT
W: epoll_wait(ep, 10, 0)                              # 1
W: close(w2)                                          # 0
W: epoll_wait(ep, 10, 0)                              # 0
W: epoll_ctl(ep, EPOLL_CTL_MOD, r2, {EPOLLIN, 34})    # 0
W: epoll_wait(ep, 10, 0)                              # 1
W: dup(r) -> rd
W: epoll_ctl(ep, EPOLL_CTL_ADD, rd, {EPOLLIN, 6})     # 0
W: close(r)                                           # 0
W: write(w, "z")                                      # 1
W: epoll_wait(ep, 10, 0)                              # 3
W: epoll_ctl(ep, EPOLL_CTL_DEL, rd, NULL)             # 0
W: write(w, "z")                                      # 1
W: epoll_wait(ep, 10, 0)                              # 2
W: close(rd)                                          # 0
W: epoll_wait(ep, 10, 0)                              # 2
W: close(w)                                           # 0
W: pipe([x, y])                                       # 0
W: epoll_create1(0) -> e1
W: epoll_create1(0) -> e2
W: fork() -> X
W: fork() -> Y
W: fork() -> Z
W: epoll_ctl(e1, EPOLL_CTL_ADD, x, {EPOLLIN|EPOLLEXCLUSIVE, 1})# 0
W: epoll_ctl(e2, EPOLL_CTL_ADD, x, {EPOLLIN|EPOLLEXCLUSIVE, 2})# 0
W: epoll_ctl(e2, EPOLL_CTL_ADD, y, {EPOLLIN|EPOLLEXCLUSIVE|EPOLLONESHOT, 2})  # EINVAL
W: epoll_ctl(e2, EPOLL_CTL_ADD, e1, {EPOLLIN|EPOLLEXCLUSIVE, 2})  # EINVAL
X: epoll_wait(e1, 5, -1)     # blocked
Y: epoll_wait(e2, 5, -1)     # blocked
Z: read(x, 100)     # blocked
W: write(y, "hello")                                  # 5; X: 1
W: write(y, "hello")                                  # 5; Y: blocked if pipe_pseudo_edgetrigger else 1
kill(Y, SIGUSR2)                                      # Y: SIGUSR2; Y: EINTR if pipe_pseudo_edgetrigger
kill(X, SIGUSR1)                                      # X: SIGUSR1
kill(Z, SIGUSR1)                                      # Z: SIGUSR1; Z: 10
Z: read(x, 100)                                       # blocked
X: epoll_wait(e1, 5, -1)                              # blocked
Y: epoll_wait(e2, 5, -1)                              # blocked
W: epoll_create1(0) -> n1
W: epoll_ctl(n1, EPOLL_CTL_ADD, e1, {EPOLLIN|EPOLLET, 1})# 0
W: epoll_ctl(n1, EPOLL_CTL_ADD, e2, {EPOLLIN, 2})     # 0
W: epoll_ctl(e2, EPOLL_CTL_ADD, n1, {EPOLLIN, 2})  # ELOOP
W: epoll_wait(n1, 5, 0)                               # 0
W: poll([{n1, POLLIN}, {e1, POLLIN}], 0)              # 0
W: write(y, "a")                                      # 1; X: 1
W: epoll_wait(n1, 5, 0)                               # 1
W: epoll_wait(n1, 5, 0)                               # 0
W: select(20, [n1, e1, x], [y], [x], {0, 0})          # 3
W: close(e1)                                          # 0
W: read(x, 100)                                       # 1
W: epoll_wait(n1, 5, 0)                               # 0
W: epoll_ctl(n1, EPOLL_CTL_ADD, y, {EPOLLOUT|EPOLLRDHUP|EPOLLWAKEUP, 9})# 0
W: epoll_wait(n1, 5, 0)                               # 1
W: open("/tmp/reg", O_RDWR|O_CREAT, 0600) -> reg
W: epoll_ctl(n1, EPOLL_CTL_ADD, reg, {EPOLLIN, 9})     # EPERM
W: exec()                                             # 0
W: epoll_wait(n1, 5, 0)                               # 1
kill(X, SIGKILL)
W: epoll_wait(n1, 5, 0)                               # 1
