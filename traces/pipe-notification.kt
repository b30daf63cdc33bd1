## pipe-notification: a pipe for notifications cannot be written, spliced or resized
A: pipe2([r, w], O_NOTIFICATION_PIPE|O_NONBLOCK)      # 0 if watch_queue else ENOPKG
when watch_queue {
A: write(w, "x")                                      # EXDEV
A: read(r, 10)                                        # EAGAIN
A: fcntl(w, F_SETPIPE_SZ, 65536)                      # EBUSY
A: ioctl(r, 0x5760, 0)                                # EINVAL
A: ioctl(r, 0x5760, 100)                              # 0
A: ioctl(r, 0x5760, 100)                              # EBUSY
A: pipe([r2, w2])                                     # 0
A: ioctl(r2, 0x5760, 100)                             # ENODEV
A: tee(r, w2, 10, 0)                                  # EINVAL
A: write(w2, "data")                                  # 4
A: splice(r2, NULL, w, NULL, 4, 0)                    # EXDEV
A: poll([{r, POLLIN}, {w, POLLOUT}], 0)               # 1 [0, POLLOUT]
}
