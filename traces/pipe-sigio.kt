## pipe-sigio: signals instead of waiting: FASYNC, F_SETOWN, F_SETSIG
A: pipe([r, w])                                       # 0
A: fork() -> B
B: fcntl(r, F_SETOWN, B)                              # 0
B: fcntl(r, F_GETOWN)                                 # _
B: fcntl(r, F_SETFL, FASYNC)                          # 0
A: write(w, "x")                                      # 1; B: SIGIO code=0x80
## asked for by number, it says what for
B: fcntl(r, F_SETSIG, SIGIO)                          # 0
A: write(w, "y")                                      # 1; B: SIGIO code=1 fd=r
## the same file, seen through another descriptor, is the same entry
B: dup(r) -> r2
B: ioctl(r2, FIOASYNC, 0)                             # 0
A: write(w, "z")                                      # 1
B: ioctl(r2, FIOASYNC, 1)                             # 0
A: write(w, "!")                                      # 1; B: SIGIO code=1 fd=r2
## writers are told when there is room
A: fcntl(w, F_SETOWN, A)                              # 0
A: fcntl(w, F_SETFL, O_WRONLY|FASYNC)                 # 0
B: read(r, 10)                                        # 4; A: SIGIO
## and both, when the other side is gone
A: close(r)                                           # 0
B: close(w)                                           # 0
A: fcntl(w, F_SETFL, O_WRONLY)                        # 0
A: close(w)                                           # 0; B: SIGIO code=1
## the owner's rights count, and its life
spawn U uid=1000
U: pipe([ur, uw])                                     # 0
U: fcntl(ur, F_SETOWN, B)                             # 0
U: fcntl(ur, F_SETFL, FASYNC)                         # 0
U: write(uw, "x")                                     # 1
U: fcntl(ur, F_SETOWN_EX, {F_OWNER_PID, U})           # 0
U: write(uw, "x")                                     # 1; U: SIGIO
U: fcntl(ur, F_GETOWN_EX)                             # 0 _
U: fcntl(ur, F_SETSIG, 65)                            # EINVAL
