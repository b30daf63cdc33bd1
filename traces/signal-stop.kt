## signal-stop: stopped is a state: what a sleeper in each call does after SIGSTOP and SIGCONT
A: pipe([r, w])                                    # 0
A: fork() -> B
A: fork() -> C
B: read(r, 10)                                     # blocked
A: kill(B, SIGSTOP)                                # 0; B: stopped SIGSTOP
## it left the queue of the pipe: nobody is woken
A: write(w, "x")                                   # 1
A: kill(B, SIGSTOP)                                # 0
A: kill(B, SIGCONT)                                # 0; B: 1 "x"; B: continued
## a handler of SIGUSR1 waits until then, and the call ends
B: read(r, 10)                                     # blocked
A: kill(B, SIGSTOP)                                # B: stopped SIGSTOP
A: kill(B, SIGUSR1)                                # 0
A: kill(B, SIGCONT)                                # B: SIGUSR1 sender=A; B: EINTR; B: continued
## with SA_RESTART the call goes on
B: sigaction(SIGUSR1, RECORD_RESTART)              # 0
B: read(r, 10)                                     # blocked
A: kill(B, SIGSTOP)                                # B: stopped SIGSTOP
A: kill(B, SIGUSR1)                                # 0
A: kill(B, SIGCONT)                                # B: SIGUSR1; B: continued
A: write(w, "y")                                   # B: 1 "y"
## SIGCONT with a handler: EINTR, and with none, to one that is not stopped: nothing
B: sigaction(SIGCONT, RECORD)                      # 0
B: read(r, 10)                                     # blocked
A: kill(B, SIGSTOP)                                # B: stopped SIGSTOP
A: kill(B, SIGCONT)                                # B: SIGCONT; B: EINTR; B: continued
B: sigaction(SIGCONT, SIG_DFL)                     # 0
B: read(r, 10)                                     # blocked
A: kill(B, SIGCONT)                                # 0
## who is stopped between two calls begins the next when it goes on
A: kill(C, SIGSTOP)                                # C: stopped SIGSTOP
C: getpid()                                        # blocked
A: kill(C, SIGCONT)                                # C: C; C: continued
C: kill(C, SIGSTOP)                                # blocked; C: stopped SIGSTOP
kill(C, SIGCONT)                                   # C: 0; C: continued
## stops wait while they are blocked, and SIGCONT takes them back; SIGSTOP cannot be blocked
C: rt_sigprocmask(SIG_BLOCK, 0x3a0000)             # 0
A: kill(C, SIGTSTP)                                # 0
A: kill(C, SIGTTIN)                                # 0
A: kill(C, SIGCONT)                                # 0
A: kill(C, SIGTTOU)                                # 0
## and the stop that came last takes SIGCONT back; of the stops, a group without a parent outside heeds SIGSTOP alone
C: rt_sigprocmask(SIG_UNBLOCK, 0x3a0000)           # 0
A: kill(C, SIGTSTP)                                # 0
## a stopped one is killed at once by SIGKILL; any other fatal signal waits
A: kill(B, SIGSTOP)                                # B: stopped SIGSTOP
A: kill(B, SIGKILL)                                # B: killed SIGKILL
C: sigaction(SIGTERM, SIG_DFL)                     # 0
A: fork() -> D
D: sigaction(SIGTERM, SIG_DFL)                     # 0
A: kill(D, SIGSTOP)                                # D: stopped SIGSTOP
A: kill(D, SIGTERM)                                # 0
A: kill(D, SIGCONT)                                # D: killed SIGTERM
A: kill(C, SIGSTOP)                                # C: stopped SIGSTOP
A: kill(C, SIGHUP)                                 # 0
A: kill(C, SIGTERM)                                # 0
A: kill(C, SIGCONT)                                # C: SIGHUP; C: killed SIGTERM
## the agent stops somebody, and continues it
kill(A, SIGSTOP)                                   # A: stopped SIGSTOP
kill(A, SIGCONT)                                   # A: continued
