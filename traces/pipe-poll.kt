## pipe-poll: waiting for a pipe with poll and select; a wake-up names what it is for
A: pipe([r, w])                                       # 0
A: poll([{r, POLLIN}, {w, POLLOUT}], 0)               # 1 [0, POLLOUT]
A: fork() -> B
## both ends and a closed descriptor
B: poll([{r, POLLIN}, {77, POLLIN}], -1)              # 1 [0, POLLNVAL]
B: poll([{r, POLLIN}], -1)                            # blocked
A: write(w, "x")                                      # 1; B: 1 [POLLIN]
## one who waits for something else is not woken
B: read(r, 1)                                         # 1
B: poll([{r, POLLPRI}], -1)                           # blocked
A: write(w, "y")                                      # 1
kill(B, SIGUSR1)                                      # B: EINTR; B: SIGUSR1
A: select(w + 1, [r], [w], NULL, {0, 0})              # 2 [r] [w]
A: read(r, 10)                                        # 1 "y"
B: select(r + 1, [r], NULL, NULL, NULL)               # blocked
A: write(w, "z")                                      # 1; B: 1 [r]
B: close(w)                                           # 0
A: close(w)                                           # 0
## the writers are gone: a hang-up, whether asked for or not
A: poll([{r, 0}], 0)                                  # 1 [POLLHUP]
