## rlimit-fsize: a file may not grow beyond RLIMIT_FSIZE
## kernel: 10, then EFBIG and SIGXFSZ (mm/filemap.c: generic_write_checks(), fs/read_write.c: generic_write_check_limits())
A: setrlimit(RLIMIT_FSIZE, {10, 10})               # 0
A: creat("/tmp/c", 0644) -> c
A: write(c, "0123456789abc")                       # 10
A: write(c, "x")                                   # EFBIG; SIGXFSZ
