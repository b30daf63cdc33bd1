## pipe-splice: buffers move between pipes and files, and nothing is copied that need not be
A: pipe([r1, w1])                                     # 0
A: pipe([r2, w2])                                     # 0
A: write(w1, "abcdefghij")                            # 10
## a part of a buffer is shared; a whole one moves, and may still be merged into
A: splice(r1, NULL, w2, NULL, 4, 0)                   # 4
A: splice(r1, NULL, w2, NULL, 100, 0)                 # 6
A: write(w2, "klm")                                   # 3
A: read(r2, 100)                                      # 13 "abcdefghijklm"
## a file's page is in the pipe and in the file
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: write(f, "0123456789" * 500)                       # 5000
A: splice(f, 0, w1, NULL, 5000, SPLICE_F_MOVE)        # 5000 5000
A: pwrite64(f, "##", 2, 0)                            # 2
A: read(r1, 4)                                        # 4 "##23"
## the page cannot be merged into: what is written next has a page of its own
A: write(w1, "own")                                   # 3
A: pread64(f, 10, 4990)                               # 10 "0123456789"
## holes are pages of zeros
A: ftruncate(f, 20000)                                # 0
A: splice(f, 12000, w2, NULL, 6000, 0)                # 6000 18000
## out of the pipe into a file
A: open("/tmp/copy", O_RDWR|O_CREAT, 0600) -> c
A: splice(r1, NULL, c, 5, 10, SPLICE_F_MORE)          # 10 15
A: lseek(c, 0, SEEK_CUR)                              # 0
A: read(c, 9)                                         # 9 "\0\0\0\0\x00" + "4567"
## what cannot be
A: splice(r1, 3, w2, NULL, 10, 0)                     # ESPIPE
A: splice(f, NULL, c, NULL, 10, 0)                    # EINVAL
A: splice(r1, NULL, w1, NULL, 10, 0)                  # EINVAL
A: splice(w1, NULL, w2, NULL, 10, 0)                  # EBADF
A: fcntl(c, F_SETFL, O_APPEND)                        # 0
A: splice(r1, NULL, c, NULL, 10, 0)                   # EINVAL
## sleeping on the input, not on the output
A: fork() -> B
A: pipe2([er, ew], O_NONBLOCK)                        # 0
A: splice(er, NULL, w2, NULL, 10, 0)                  # EAGAIN
A: close(er)                                          # 0
A: splice(r2, NULL, ew, NULL, 10, 0)                  # EPIPE; SIGPIPE
A: read(r2, 65536)                                    # 6000
B: splice(r2, NULL, w1, NULL, 10, 0)                  # blocked
A: write(w2, "wake up")                               # 7; B: 7
