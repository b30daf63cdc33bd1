## pipe-vmsplice: a process's own pages in a pipe, before and after it writes to them
A: pipe([r, w])                                       # 0
A: mmap(0x20000000, 16384, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) -> m
## nothing was written there: it is the page of zeros, three times
A: vmsplice(w, [{m, 4096}, {m + 4096, 4096}, {m + 100, 10}], 0)      # 8202
A: read(r, 65536)                                     # 8202
A: store(m, "first")
A: vmsplice(w, [{m, 5}], SPLICE_F_GIFT)               # 5
## the page is shared: a later write shows
A: store(m, "FI")
A: read(r, 10)                                        # 5 "FIrst"
## after a fork both keep the pipe's copy as it was
A: vmsplice(w, [{m, 5}], 0)                           # 5
A: fork() -> B
A: store(m, "other")
A: read(r, 10)                                        # 5 "FIrst"
B: load(m, 5)                                         # 0 "FIrst"
## out of the pipe, it is a copy
A: write(w, "from the pipe")                          # 13
A: vmsplice(r, [{m + 8192, 100}], 0)                  # 13
A: load(m + 8192, 13)                                 # 0 "from the pipe"
A: vmsplice(w, [{BAD, 10}], 0)                        # EFAULT
A: vmsplice(w, [{m, 10}, {BAD, 10}], 0)               # 10
A: vmsplice(w, [], 0)                                 # 0
## a hole of a file and memory that nobody wrote: on later kernels one page of zeros
A: open("/tmp/hole", O_RDWR|O_CREAT, 0600) -> f
A: ftruncate(f, 8192)                                 # 0
A: pipe([r2, w2])                                     # 0
A: splice(f, NULL, w2, NULL, 100, 0)                  # 100
A: vmsplice(w2, [{m + 4096, 100}, {m + 12288, 5000}], 0) # 4196
A: read(r2, 300)                                      # 300
