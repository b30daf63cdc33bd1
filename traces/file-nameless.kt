## file-nameless: O_TMPFILE, and the links below /proc that lead to a file without a path
A: open("/tmp", O_TMPFILE|O_RDWR, 0600) -> a                # 0
A: fcntl(a, F_GETFL)                                        # O_TMPFILE|O_RDWR|O_LARGEFILE
## whoever may write neither cannot: but 3 is taken for both
A: open("/tmp", O_TMPFILE|O_RDONLY, 0600)                   # EINVAL
A: open("/tmp", O_TMPFILE|O_ACCMODE, 0600)                  # 1
A: open("/tmp", (O_TMPFILE|O_RDWR) & ~O_DIRECTORY, 0600)    # EINVAL
A: symlink("/tmp", "/tmp/link")                             # 0
A: open("/tmp/link", O_TMPFILE|O_RDWR|O_NOFOLLOW, 0600)     # ENOTDIR
A: open("/tmp/link", O_TMPFILE|O_RDWR, 0600)                # 2
## such a file is found by its descriptor, whose link says what it may do
A: write(a, "hello")                                        # 5
A: open("/proc/self/fd/0", O_RDWR|O_TRUNC) -> b             # 3
A: open("/proc/self/fd/0", O_PATH|O_NOFOLLOW) -> p          # 4
A: open("/proc/self/fd/0", O_PATH|O_NOFOLLOW)               # 5
A: open("/proc/thread-self/fd/0", O_PATH|O_NOFOLLOW)        # 6
A: readlink("/proc/self/fd/0", 6)                           # 6 "/tmp/#"
A: close(a)                                                 # 0
A: access("/proc/self/fd/0", 0)                             # ENOENT
A: pipe([r, w])                                             # 0
A: open("/proc/self/fd/0", O_PATH|O_NOFOLLOW) -> q
## a number has no leading zero
A: access("/proc/self/fd/00", 0)                            # ENOENT
A: access("/proc/self/fd/07", 0)                            # ENOENT
A: access("/proc/self/fd/4294967296", 0)                    # ENOENT
## the current directory, the root
A: open("/proc/self/cwd", O_PATH|O_NOFOLLOW)
A: chdir("/tmp")                                            # 0
A: access("/proc/self/cwd/link", 0)                         # 0
A: open("/proc/self/root", O_PATH|O_NOFOLLOW)
A: readlink("/proc/self/root", 10)                          # 1 "/"
