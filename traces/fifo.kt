## fifo: a named pipe, whose ends wait for each other
A: mkfifo("/tmp/fifo", 0600)                # 0
A: mkfifo("/tmp/fifo", 0600)                # EEXIST
A: fork() -> B
## a writer does not wait with O_NONBLOCK, it fails
A: open("/tmp/fifo", O_WRONLY|O_NONBLOCK)   # ENXIO
A: open("/tmp/fifo", O_RDONLY) -> r         # blocked
B: open("/tmp/fifo", O_WRONLY) -> w         # _; A: _
B: write(w, "through the name")             # 16
A: read(r, 100)                             # 16 "through the name"
## a second reader shares what is written
B: open("/tmp/fifo", O_RDONLY|O_NONBLOCK) -> r2
B: write(w, "12345678")                     # 8
A: read(r, 4)                               # 4 "1234"
B: read(r2, 100)                            # 4 "5678"
B: close(r2)                                # 0
B: close(w)                                 # 0
A: read(r, 100)                             # 0 ""
A: close(r)                                 # 0
## O_RDWR talks to itself and never waits
A: open("/tmp/fifo", O_RDWR) -> both        # _
A: write(both, "echo")                      # 4
A: read(both, 10)                           # 4 "echo"
## it outlives its name
A: unlink("/tmp/fifo")                      # 0
A: write(both, "nameless")                  # 8
A: read(both, 10)                           # 8 "nameless"
A: close(both)                              # 0
A: open("/tmp/fifo", O_RDWR)                # ENOENT
