## epoll-anon: timerfd, pidfd and eventfd in an epoll set; when the first two are ready is taken as observed
A: epoll_create1(0) -> e                           # 0
A: timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK) -> t # 1
A: epoll_ctl(e, EPOLL_CTL_ADD, t, {events=EPOLLIN, data=1}) # 0
A: epoll_wait(e, 4, 0)                             # 0
A: timerfd_settime(t, 0, {{0, 0}, {0, 1000000}})   # 0
wait(200)
A: epoll_wait(e, 4, 9000)                          # 1 [{events=EPOLLIN, data=1}]
A: epoll_wait(e, 4, 0)                             # 1 [{events=EPOLLIN, data=1}]
A: poll([{e, POLLIN}], 0)                          # 1 [POLLIN]
A: read(t, 8)                                      # 8
A: epoll_wait(e, 4, 0)                             # 0
A: poll([{e, POLLIN}], 0)                          # 0 [0]
A: fork() -> B
A: timerfd_settime(t, 0, {{0, 0}, {1, 0}})         # 0
B: epoll_wait(e, 4, -1)                            # blocked
wait(9000)                                         # B: 1 [{events=EPOLLIN, data=1}]
## edge-triggered: told once
A: epoll_ctl(e, EPOLL_CTL_MOD, t, {events=EPOLLIN|EPOLLET, data=1}) # 0
A: epoll_wait(e, 4, 0)                             # 1
A: epoll_wait(e, 4, 0)                             # 0
A: pidfd_open(B) -> p                              # 2
A: epoll_ctl(e, EPOLL_CTL_ADD, p, {events=EPOLLIN, data=4}) # 0
A: epoll_wait(e, 4, 0)                             # 0
kill(B, SIGKILL)                                   # B: killed SIGKILL
A: epoll_wait(e, 4, 0)                             # 1 [{data=4}]
A: eventfd2(0, 0) -> v                             # 3
A: epoll_ctl(e, EPOLL_CTL_ADD, v, {events=EPOLLIN, data=5}) # 0
A: write(v, "\x01\x00\x00\x00\x00\x00\x00\x00")    # 8
A: epoll_wait(e, 1, 0)                             # 1
A: epoll_wait(e, 1, 0)                             # 1
A: epoll_wait(e, 8, 0)                             # 2
A: epoll_ctl(e, EPOLL_CTL_DEL, p)                  # 0
A: epoll_ctl(e, EPOLL_CTL_MOD, t, {events=EPOLLIN|EPOLLONESHOT, data=1}) # 0
A: timerfd_settime(t, 0, {{0, 0}, {0, 1000000}})   # 0
wait(200)
A: epoll_wait(e, 8, 9000)                          # 2
A: epoll_wait(e, 8, 0)                             # 1
A: close(t)                                        # 0
A: epoll_wait(e, 8, 0)                             # 1
