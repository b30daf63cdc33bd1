## file-direct: O_DIRECT is for files that were opened where the file system takes it
A: open("/tmp/d", O_CREAT|O_RDWR, 0600) -> f
A: fcntl(f, F_SETFL, O_DIRECT|O_NONBLOCK)
A: fcntl(f, F_GETFL)
A: memfd_create("m") -> m
A: fcntl(m, F_SETFL, O_DIRECT)                                 # EINVAL
A: open("/tmp/d", O_RDWR|O_DIRECT)
A: open("/tmp", O_RDONLY|O_DIRECTORY) -> d
A: fcntl(d, F_SETFL, O_DIRECT)                                 # EINVAL
A: pipe([r, w])                                                # 0
A: fcntl(w, F_SETFL, O_DIRECT)                                 # 0
A: write(f, "what is written")                                 # 15
