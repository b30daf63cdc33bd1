## sigstop: a reader is stopped while it sleeps, the pipe is written to, and the reader goes on
## kernel: B stays, stopped (kernel/signal.c: get_signal(), do_signal_stop(); sig_kernel_stop())
A: pipe([r, w])                                    # 0
A: fork() -> B
B: read(r, 10)                                     # blocked
A: kill(B, SIGSTOP)                                # 0
A: write(w, "x")                                   # 1
A: kill(B, SIGCONT)                                # 0; B: 1 "x"
