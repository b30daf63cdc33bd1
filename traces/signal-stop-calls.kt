## signal-stop-calls: which calls go on after a stop, and which end with EINTR
A: pipe([r, w])                                    # 0
A: pipe([r2, w2])                                  # 0
A: fork() -> B
## poll goes on, with and without a timeout; what was left of that goes on, too
B: poll([{r, POLLIN}], -1)                         # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
A: write(w, "p")                                   # B: 1 revents=[POLLIN]
A: read(r, 10)                                     # 1
B: poll([{r, POLLIN}], 100000)                     # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: write(w, "p")                                   # 1
kill(B, SIGCONT)                                   # B: 1 revents=[POLLIN]
A: read(r, 10)                                     # 1
B: poll([{r, POLLIN}], 200)                        # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
wait(2000)                                         ## B: 0
B: poll([{r, POLLIN}], 3000)                        # blocked
wait(2500)
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
wait(2000)                                         # B: 0
## a handler ends them, with SA_RESTART, too
B: sigaction(SIGUSR2, RECORD_RESTART)              # 0
B: poll([{r, POLLIN}], -1)                         # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGUSR2)
kill(B, SIGCONT)                                   # B: SIGUSR2; B: EINTR; B: continued
B: ppoll([{r, POLLIN}], {100, 0}, 0x10000)         # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
A: write(w, "p")                                   # B: 1
A: read(r, 10)                                     # 1
B: select(4, [r], NULL, NULL, {100, 0})            # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
A: write(w, "p")                                   # B: 1
A: read(r, 10)                                     # 1
B: pselect6(4, [r], NULL, NULL, NULL, NULL)        # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
A: write(w, "p")                                   # B: 1
A: read(r, 10)                                     # 1
## epoll_wait does not
B: epoll_create1(0) -> e
B: epoll_ctl(e, EPOLL_CTL_ADD, r, {EPOLLIN, 1})    # 0
B: epoll_wait(e, 1, -1)                            # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: EINTR; B: continued
B: epoll_wait(e, 1, 100000)                        # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: EINTR
B: pause()                                         # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
kill(B, SIGUSR1)                                   # B: SIGUSR1; B: EINTR
## semop ends, msgsnd and msgrcv go on
A: semget(IPC_PRIVATE, 1, 0600) -> s
B: semop(s, [{0, -1, 0}])                          # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: semop(s, [{0, 1, 0}])                           # 0
kill(B, SIGCONT)                                   # B: EINTR; B: continued
B: semop(s, [{0, -1, SEM_UNDO}])                   # 0
B: semtimedop(s, [{0, -1, 0}], {100, 0})           # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: EINTR
A: msgget(IPC_PRIVATE, 0600) -> q
B: msgrcv(q, 10, 0, 0)                             # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: msgsnd(q, {1, "m"})                             # 0
kill(B, SIGCONT)                                   # B: 1 mtext="m"
A: msgctl(q, IPC_STAT) -> _, buf=d
A: msgsnd(q, {1, "z" * 8192})                      # 0
A: msgsnd(q, {1, "z" * 8192})                      # 0
B: msgsnd(q, {1, "z" * 8192})                      # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: msgctl(q, IPC_RMID)                             # 0
kill(B, SIGCONT)                                   # B: EINVAL
## a write that was partly done returns that
B: write(w2, "w" * 100000)                         # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: 65536
B: write(w2, "w")                                  # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: read(r2, 65536)                                 # 65536
kill(B, SIGCONT)                                   # B: 1
B: splice(r, NULL, w2, NULL, 10, 0)                # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
A: write(w, "s")                                   # 1
kill(B, SIGCONT)                                   # B: 1
B: mkfifo("/tmp/stop-fifo", 0600)                  # 0
B: open("/tmp/stop-fifo", O_RDONLY)                # blocked
kill(B, SIGSTOP)                                   # B: stopped SIGSTOP
kill(B, SIGCONT)                                   # B: continued
A: open("/tmp/stop-fifo", O_WRONLY)                # B: _
A: unlink("/tmp/stop-fifo")                        # 0
