## pipe-basic: an anonymous pipe between parent and child
A: pipe2([r, w], 0)                         # 0 [0, 1]
A: fork() -> B
A: close(r)                                 # 0
B: close(w)                                 # 0
A: write(w, "hello" * 20)                   # 100
B: read(r, 4096)                            # 100 "hellohello"...
## nothing is left, but a writer is: the reader sleeps until it writes
B: read(r, 10)                              # blocked
A: write(w, "!")                            # 1; B: 1 "!"
A: write(w, "last words")                   # 10
A: close(w)                                 # 0
## what was written survives the last writer; then comes the end of file
B: read(r, 4)                               # 4 "last"
B: read(r, 100)                             # 6 " words"
B: read(r, 100)                             # 0 ""
B: exit(7)                                  # exited 7
A: exit(0)                                  # exited 0
