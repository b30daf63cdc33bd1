## pipe-timeout: poll, ppoll, select, pselect6 and epoll_wait that give up, or are served before
A: pipe([r, w])                                         # 0
A: fork() -> B
A: epoll_create1(0) -> ep
A: fork() -> C
C: epoll_ctl(ep, EPOLL_CTL_ADD, r, {EPOLLIN, 7})        # 0
B: poll([{r, POLLIN}], 200)                             # blocked
wait(5000)                                              # B: 0 [0]
B: poll([{r, POLLIN}, {w, POLLOUT}], 200)               # 1 [0, POLLOUT]
B: ppoll([{r, POLLIN}], {0, 200000000}, NULL)           # blocked
wait(5000)                                              # B: 0 [0]
B: select(r + 1, [r], NULL, NULL, {0, 200000})          # blocked
wait(5000)                                              # B: 0 []
B: select(r + 1, [r], NULL, NULL, {0, 1500000})         # blocked
wait(5000)                                              # B: 0 []
B: pselect6(r + 1, [r], NULL, NULL, {0, 200000000})     # blocked
C: epoll_wait(ep, 5, 400)                               # blocked
wait(5000)                                              # B: 0 []
wait(5000)                                              # C: 0 []
## served in time; whoever waits longer is not disturbed
B: poll([{r, POLLIN}], 3600000)                         # blocked
C: epoll_wait(ep, 5, 3600000)                           # blocked
A: write(w, "x")                                        # 1; B: 1 [POLLIN]; C: 1 [{EPOLLIN, 7}]
A: read(r, 9)                                           # 1
B: ppoll([{r, POLLIN}], {3600, 0}, NULL)                # blocked
C: select(r + 1, [r], NULL, NULL, {3600, 0})            # blocked
kill(B, SIGUSR1)                                        # B: EINTR
kill(C, SIGUSR1)                                        # C: EINTR
## several polls one after the other that a wake-up for something else does not end
B: poll([{r, POLLPRI}], 700)                            # blocked
A: write(w, "y")                                        # 1
wait(5000)                                              # B: 0 [0]
B: poll([], 100)                                        # blocked
wait(5000)                                              # B: 0
## what is no time
A: ppoll([{r, POLLIN}], {0, 1000000000}, NULL)          # EINVAL
A: ppoll([{r, POLLIN}], {-1, 0}, NULL)                  # EINVAL
A: ppoll([{r, POLLIN}], BAD, NULL)                      # EFAULT
A: select(r + 1, [r], NULL, NULL, {-1, 0})              # EINVAL
A: select(r + 1, [r], NULL, NULL, {0, -5})              # EINVAL
A: select(r + 1, [r], NULL, NULL, {1, -1000000})        # EINVAL if select_negative else _
A: select(r + 1, [r], NULL, NULL, BAD)                  # EFAULT
A: pselect6(r + 1, [r], NULL, NULL, {1, -1})            # EINVAL
