## pipe-owners: who gets which signal: F_SETOWN and F_SETSIG in all their forms, processes that are gone or no actors
A: pipe([r, w])                                       # 0
A: fork() -> B
A: fork() -> C
A: fcntl(r, F_GETOWN)      # 0
A: fcntl(r, F_SETOWN, 99999)  # ESRCH
A: fcntl(r, F_SETOWN, -99999)  # ESRCH
A: fcntl(r, F_SETOWN, -2147483648)                    # EINVAL
A: fcntl(r, F_SETOWN, B)                              # 0
A: fcntl(r, F_GETOWN_EX)                              # 0
A: fcntl(r, F_SETOWN_EX, {F_OWNER_TID, C})            # 0
A: fcntl(r, F_GETOWN_EX)                              # 0
A: fcntl(r, F_SETOWN_EX, {F_OWNER_PGRP, C})           # 0
A: fcntl(r, F_GETOWN_EX)                              # 0
A: fcntl(r, F_GETOWN)
A: fcntl(r, F_SETFL, FASYNC)                          # 0
A: fcntl(r, F_GETFL)                                  # 8192
A: write(w, "1")                                      # 1
A: fcntl(r, F_SETOWN_EX, {3, C})  # EINVAL
A: fcntl(r, F_SETOWN_EX, {-1, C})  # EINVAL
A: fcntl(r, F_SETOWN_EX, {F_OWNER_PID, 99999}) # ESRCH
A: fcntl(r, F_SETOWN_EX, BAD) # EFAULT
A: fcntl(r, F_GETOWN_EX, BAD) # EFAULT
A: fcntl(r, F_SETOWN_EX, {F_OWNER_PID, C})            # 0
A: write(w, "2")                                      # 1
A: fcntl(r, F_SETSIG, 34)                             # 0
A: fcntl(r, F_GETSIG)                                 # 34
A: write(w, "3")                                      # 1
A: fcntl(r, F_SETSIG, 10)                             # 0
A: write(w, "4")                                      # 1
A: fcntl(r, F_SETSIG, 17)                             # 0
A: write(w, "5")                                      # 1
A: fcntl(r, F_SETSIG, -1)  # EINVAL
A: fcntl(r, F_SETSIG, 65)  # EINVAL
A: fcntl(r, F_SETSIG, 64)                             # 0
A: write(w, "6")                                      # 1
A: write(w, "7")                                      # 1
A: fcntl(r, F_SETSIG, 0)                              # 0
B: fcntl(r, F_SETFL, 0)                               # 0
A: write(w, "8")                                      # 1
B: fcntl(w, F_SETOWN, B)                              # 0
B: fcntl(w, F_SETSIG, 29)                             # 0
B: fcntl(w, F_SETFL, FASYNC|O_NONBLOCK)               # 0
A: read(r, 3)                                         # 3
A: read(r, 300)                                       # 5
C: exit(0)                                            # exited 0
A: fcntl(r, F_GETOWN)
A: fcntl(r, F_GETOWN_EX)                              # 0
A: fcntl(r, F_SETFL, FASYNC)                          # 0
A: write(w, "9")                                      # 1
A: ioctl(r, FIOASYNC, 0)                              # 0
A: ioctl(r, FIOASYNC, 0)                              # 0
A: ioctl(r, FIONBIO, 1)                               # 0
A: fcntl(r, F_GETFL)                                  # 2048
A: ioctl(r, FIONBIO, BAD)  # EFAULT
A: ioctl(r, FIOASYNC, BAD)  # EFAULT
A: ioctl(r, FIOCLEX)                                  # 0
A: fcntl(r, F_GETFD)                                  # 1
A: ioctl(r, FIONCLEX)                                 # 0
A: ioctl(r, FIONREAD, BAD) # EFAULT
A: ioctl(r, 0x1234, 0) # ENOTTY
A: ioctl(77, FIONREAD) # EBADF
A: mknod("/tmp/f", S_IFIFO|0600)                      # 0
A: open("/tmp/f", O_RDWR|FASYNC|O_NONBLOCK) -> f
A: fcntl(f, F_GETFL)                                  # 43010
A: fcntl(f, F_SETOWN, A)                              # 0
A: fcntl(f, F_SETFL, FASYNC|O_NONBLOCK)               # 0
A: write(f, "both")                                   # 4
A: read(f, 10)                                        # 4
A: close(f)                                           # 0
A: fcntl(w, F_SETFL, O_DIRECT)                        # 0
A: fcntl(w, F_SETFL, O_APPEND|O_NONBLOCK)             # 0
A: fcntl(w, F_GETFL)                                  # 3073
spawn U uid=1000
U: pipe([ur, uw])                                     # 0
U: fcntl(ur, F_SETFL, O_NOATIME)                      # 0
A: fcntl(r, F_SETFL, O_NOATIME)                       # 0
A: fcntl(r, 99, 0)   # EINVAL
Z: pipe([r, w])                                       # 0
Z: fcntl(r, F_SETOWN, 1)                              # 0
Z: fcntl(r, F_GETOWN)
Z: fcntl(r, F_GETOWN_EX)                              # 0
Z: fcntl(r, F_SETOWN, -1)                             # 0
Z: fcntl(r, F_GETOWN)
Z: fcntl(r, F_GETOWN_EX)                              # 0
Z: fcntl(r, F_SETOWN, Z)                              # 0
Z: fcntl(r, F_SETOWN, -28)                            # 0
Z: fcntl(r, F_GETOWN)
Z: fcntl(r, F_GETOWN_EX)                              # 0
Z: fcntl(r, F_SETFL, FASYNC)                          # 0
Z: write(w, "x")                                      # 1
