## pipe-tee: two pipes with the same pages
A: pipe([r1, w1])                                     # 0
A: pipe([r2, w2])                                     # 0
A: tee(r1, w2, 10, SPLICE_F_NONBLOCK)                 # EAGAIN
A: write(w1, "x" * 4096)                              # 4096
A: write(w1, "tail")                                  # 4
A: tee(r1, w2, 4098, 0)                               # 4098
## the copy cannot be merged into, the original can
A: write(w2, "own")                                   # 3
A: write(w1, "s")                                     # 1
A: read(r2, 8192)                                     # 4101
A: read(r1, 4096)                                     # 4096
A: read(r1, 10)                                       # 5 "tails"
A: tee(r1, w1, 10, 0)                                 # EINVAL
A: tee(w1, w2, 10, 0)                                 # EBADF
A: tee(r1, w2, 10, 64)                                # EINVAL
A: tee(r1, w2, 0, 0)                                  # 0
A: close(w1)                                          # 0
## no writer, no data: nothing to show
A: tee(r1, w2, 10, 0)                                 # 0
