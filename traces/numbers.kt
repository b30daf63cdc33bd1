## numbers: numbers wider than an int or a mode lose their upper bits
A: pipe2([r, w], 0x100000000)                      # 0
A: write(w + 0x100000000, "abc")                   # 3
A: read(r, 2)                                      # 2
A: poll([{r, POLLIN}], 0x100000000)                # 1
A: lseek(r, 0x7fffffffffffffff, SEEK_SET)          # ESPIPE
A: fcntl(r, F_SETFL, 0x100000800)                  # 0
A: fcntl(r, F_GETFL)                               # 2048
A: kill(A, 0x100000000)                            # 0
A: umask(0x1ffff)                                  # 18
A: open("/tmp/m", O_RDWR|O_CREAT, 0x10600)         # 2
A: socket(0x100000001, SOCK_STREAM)                # 3
A: semget(0x100000000, 1, 0600)                    # 0
A: read(r, 0xffffffffffffffff)                     # EFAULT
A: ppoll([{r, POLLIN}], {0, 0}, -1)                # 1
