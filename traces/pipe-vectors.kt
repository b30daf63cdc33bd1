## pipe-vectors: readv and writev over page borders, bad addresses in the middle, and no positions
A: pipe2([r, w], O_NONBLOCK)                          # 0
A: writev(w, ["a" * 3000, "b" * 3000, "c" * 100])     # 6100
A: readv(r, [10, 5000, 5000])                         # 6100
A: writev(w, ["x" * 4096, {BAD, 10}])                 # 4096
## the slot that was taken for the bad part is there, and empty
A: readv(r, [4096, 10])                               # 4096
A: read(r, 10)                                        # EAGAIN
A: writev(w, [{BAD, 10}, "x"])                        # EFAULT
A: writev(w, BAD, 3)                                  # EFAULT
A: writev(w, [])                                      # 0
A: write(w, "abc")                                    # 3
A: readv(r, [{BAD, 10}])                              # EFAULT
A: readv(r, [1, {BAD, 10}])                           # EFAULT
A: read(r, 10)                                        # 3 "abc"
A: pread64(r, 10, 0)                                  # ESPIPE
A: pwritev(w, ["x"], 0)                               # ESPIPE
A: preadv(r, [1], -1)                                 # EINVAL
A: lseek(r, 0, SEEK_SET)                              # ESPIPE
A: read(w, 1)                                         # EBADF
A: write(r, "x")                                      # EBADF
