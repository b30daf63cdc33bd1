## fifo: who opens a FIFO for reading waits for a writer
A: mkfifo("/tmp/fifo", 0600)                    # 0
A: fork() -> B
B: open("/tmp/fifo", O_RDONLY) -> r             # blocked
A: open("/tmp/fifo", O_WRONLY) -> w             # B: 0
A: write(w, "x")                                # 1
B: read(r, 10)                                  # 1 "x"
