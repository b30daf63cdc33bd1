## pipe-full: a full pipe, EAGAIN, and a blocked writer woken by a reader
A: pipe2([r, w], O_NONBLOCK)                # 0
A: fcntl(w, F_GETPIPE_SZ)                   # 65536
A: write(w, "x" * 4096) * 15                # 4096
## one slot is left: a part of a large write goes in
A: write(w, "y" * 8192)                     # 4096
A: write(w, "z")                            # EAGAIN
A: fork() -> B
B: fcntl(w, F_SETFL, O_WRONLY)              # 0
B: write(w, "late" * 25)                    # blocked
## the reader wakes the writer, but no slot is free yet: it sleeps again
A: read(r, 96)                              # 96
## the page is empty now
A: read(r, 4000)                            # 4000; B: 100
B: write(w, "0123456789abcdef" * 512)       # blocked
A: read(r, 4096)                            # 4096
A: read(r, 4096)                            # 4096; B: 8192
## 13 pages from before, 100 bytes, two more pages
A: ioctl(r, FIONREAD)                       # 0 61540
A: read(r, 53248)                           # 53248
A: read(r, 4096)                            # 4096 "latelate"...
A: read(r, 8192)                            # 4196
A: read(r, 1)                               # EAGAIN
