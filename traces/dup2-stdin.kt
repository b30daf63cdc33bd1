## dup2-stdin: a pipe becomes a child's standard input, as a shell does it
A: open("/tmp/terminal", O_RDWR|O_CREAT, 0600) -> stdin      # 0
A: dup(stdin)                               # 1
A: dup(stdin)                               # 2
A: pipe2([r, w], O_CLOEXEC)                 # 0 [3, 4]
A: fork() -> B
## what a shell does before exec: the pipe onto 0; its ends close by themselves
B: dup2(r, 0)                               # 0
B: fcntl(0, F_GETFD)                        # 0
B: fcntl(r, F_GETFD)                        # FD_CLOEXEC
B: exec()                                   # 0
B: read(r, 1)                               # EBADF
A: close(r)                                 # 0
A: write(w, "input of the child")           # 18
B: read(0, 100)                             # 18 "input of the child"
A: close(w)                                 # 0
B: read(0, 100)                             # 0 ""
## onto itself: nothing happens, or with dup3 an error
B: dup2(0, 0)                               # 0
B: dup3(0, 0, O_CLOEXEC)                    # EINVAL
B: dup2(9, 0)                               # EBADF
B: exit(0)                                  # exited 0
A: unlink("/tmp/terminal")                  # 0
