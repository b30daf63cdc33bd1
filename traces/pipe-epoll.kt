## pipe-epoll: level and edge, once and exclusive, and who is woken first
A: pipe([r, w])                                       # 0
A: epoll_create1(0) -> ep
A: epoll_ctl(ep, EPOLL_CTL_ADD, r, {EPOLLIN, 7})      # 0
A: epoll_ctl(ep, EPOLL_CTL_ADD, r, {EPOLLIN, 7})      # EEXIST
A: epoll_ctl(ep, EPOLL_CTL_ADD, ep, {EPOLLIN, 7})     # EINVAL
A: epoll_wait(ep, 5, 0)                               # 0 []
A: fork() -> B
A: fork() -> C
B: epoll_wait(ep, 5, -1)                              # blocked
C: epoll_wait(ep, 5, -1)                              # blocked
## the last one who came is first; what it leaves on the list wakes the other
A: write(w, "x")                                      # 1; C: 1; B: 1
A: epoll_ctl(ep, EPOLL_CTL_MOD, r, {EPOLLIN|EPOLLET, 8}) # 0
A: epoll_wait(ep, 5, 0)                               # 1 [{EPOLLIN, 8}]
A: epoll_wait(ep, 5, 0)                               # 0 []
## every write to a pipe that was ever polled is an edge
A: write(w, "y")                                      # 1
A: epoll_wait(ep, 5, 0)                               # 1 [{EPOLLIN, 8}]
A: epoll_ctl(ep, EPOLL_CTL_MOD, r, {EPOLLIN|EPOLLONESHOT, 9}) # 0
A: epoll_wait(ep, 5, 0)                               # 1 [{EPOLLIN, 9}]
A: write(w, "z")                                      # 1
A: epoll_wait(ep, 5, 0)                               # 0 []
## one set inside another
A: epoll_create1(EPOLL_CLOEXEC) -> outer
A: epoll_ctl(outer, EPOLL_CTL_ADD, ep, {EPOLLIN, 1})  # 0
A: epoll_ctl(ep, EPOLL_CTL_ADD, outer, {EPOLLIN, 1})  # ELOOP
A: epoll_ctl(ep, EPOLL_CTL_MOD, r, {EPOLLIN, 10})     # 0
A: epoll_wait(outer, 5, 0)                            # 1 [{EPOLLIN, 1}]
## exclusive waiters are woken one at a time
A: epoll_create1(0) -> one
A: epoll_ctl(one, EPOLL_CTL_ADD, w, {EPOLLOUT|EPOLLEXCLUSIVE, 2}) # 0
A: epoll_ctl(one, EPOLL_CTL_MOD, w, {EPOLLOUT, 2})    # EINVAL
A: close(one)                                         # 0
A: epoll_ctl(ep, EPOLL_CTL_DEL, r, NULL)              # 0
A: epoll_ctl(ep, EPOLL_CTL_DEL, r, NULL)              # ENOENT
A: ioctl(ep, FIONREAD)                                # EINVAL if epoll_ioctl else ENOTTY
A: ioctl(ep, FIONBIO, 0)                              # 0
B: exit(0)                                            # exited 0
C: exit(0)                                            # exited 0
## what is wrong with a call is told in another order
A: epoll_wait(77, 0, 0)                               # EBADF if epoll_wait_fd_first else EINVAL
