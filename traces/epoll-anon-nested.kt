## epoll-anon-nested: a driver without poll, an epoll set in another, a timer in the past
A: epoll_create1(0) -> e                           # 0
A: open("/dev/urandom", O_RDONLY) -> u             # 1
A: epoll_ctl(e, EPOLL_CTL_ADD, u, {events=EPOLLIN, data=1}) # EPERM
A: epoll_wait(e, 4, 0)                             # 0
A: epoll_create1(0) -> f                           # 2
A: timerfd_create(CLOCK_REALTIME) -> t             # 3
A: epoll_ctl(f, EPOLL_CTL_ADD, t, {events=EPOLLIN, data=2}) # 0
A: epoll_ctl(e, EPOLL_CTL_ADD, f, {events=EPOLLIN, data=3}) # 0
A: timerfd_settime(t, TFD_TIMER_ABSTIME, {{0, 0}, {1, 0}}) # 0
A: epoll_wait(e, 4, 0)                             # 1
A: epoll_wait(f, 4, 0)                             # 1
A: epoll_ctl(e, EPOLL_CTL_DEL, f)                  # 0
A: dup(t) -> t2                                    # 4
A: close(t)                                        # 0
A: epoll_wait(f, 4, 0)                             # 1
