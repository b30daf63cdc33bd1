## file-truncate: a file is cut to the size that it has: its times change if it has pages, and what lies behind its end goes
A: creat("/tmp/f", 0600) -> f
## no page yet: truncate() to the same size leaves the times
A: truncate("/tmp/f", 0)                        # 0
A: ftruncate(f, 0)                              # 0
A: write(f, "0123456789")                       # 10
A: truncate("/tmp/f", 10)                       # 0
A: stat("/tmp/f")                               # 0 statbuf={st_size=10}
A: truncate("/tmp/f", 5000)                     # 0
A: truncate("/tmp/f", 5000)                     # 0
## a hole alone is no page
A: creat("/tmp/h", 0600) -> h
A: ftruncate(h, 5000)                           # 0
A: truncate("/tmp/h", 5000)                     # 0
## what a mapping wrote behind the end of the file
A: memfd_create("m") -> m
A: write(m, "abcdef")                           # 6
A: mmap(0x20000000, 4096, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, m, 0) # 0x20000000
A: store(0x20000006, "behind")                                 # 0
A: load(0x20000000, 12)                         # 0 "abcdefbehind"
A: ftruncate(m, 6)                              # 0
A: load(0x20000000, 12)                         # 0 "abcdef\x00\x00\x00\x00\x00\x00"
A: store(0x20000006, "behind")                                 # 0
A: fork() -> B
B: store(0x20000000, "B")                                      # 0
A: ftruncate(m, 12)                             # 0
A: load(0x20000000, 12)                         # 0 "Bbcdefbehind"
