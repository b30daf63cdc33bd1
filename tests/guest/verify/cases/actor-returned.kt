## actor-returned: a call returns the number of an actor
## kernel: the pid of A (kernel/sys.c: getpid())
A: getpid()                                        # A
