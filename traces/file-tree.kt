## file-tree: paths: dots, slashes, links, mounts, and descriptors below /proc
A: mkdir("/tmp/a", 0755)                        # 0
## . and .. are names that cannot be removed, and .. behind a name that is not there leads nowhere
A: rmdir("/tmp/a/.")                            # EINVAL
A: rmdir("/tmp/a/..")                           # ENOTEMPTY
A: unlink("/tmp/a/.")                           # EISDIR
A: mkdir("/tmp/a/.", 0700)                      # EEXIST
A: mkfifo("/tmp/none/../f", 0600)               # ENOENT
A: open("/tmp/a/../a/./../nothing", O_RDONLY)   # ENOENT
A: creat("/tmp/file", 0600) -> f                # 0
A: stat("/tmp/file/.")                          # ENOTDIR
A: stat("/tmp/file/../file")                    # ENOTDIR
A: stat("/tmp/file/")                           # ENOTDIR
A: unlink("/tmp/file/")                         # ENOTDIR
A: mkfifo("/tmp/fifo/", 0600)                   # ENOENT
## what is mounted cannot be removed, the root is its own parent
A: rmdir("/tmp")                                # EBUSY
A: rmdir("/")                                   # EBUSY
A: access("/../../tmp/../", 0)                  # 0
A: rename("/tmp/a", "/run/a")                   # EXDEV
A: rename("/tmp/.", "/tmp/b")                   # EBUSY
## symbolic links: the last one is followed, or not
A: symlink("a", "/tmp/link")                    # 0
A: symlink("/tmp/link/new", "/tmp/dangling")    # 0
A: symlink("round", "/tmp/round")               # 0
A: readlink("/tmp/link", 100)                   # 1 "a"
A: readlink("/tmp/a", 100)                      # EINVAL
A: open("/tmp/dangling", O_RDONLY)              # ENOENT
A: open("/tmp/dangling", O_RDWR|O_CREAT|O_EXCL, 0600)   # EEXIST
A: open("/tmp/dangling", O_RDWR|O_CREAT, 0600) -> d     # 1
A: readlink("/proc/self/fd/1", 100)             # 10 "/tmp/a/new"
A: open("/tmp/link", O_RDONLY|O_NOFOLLOW)       # ELOOP
A: open("/tmp/link/", O_RDONLY|O_NOFOLLOW) -> l # 2
A: open("/tmp/link", O_PATH|O_NOFOLLOW) -> p    # 3
A: open("/tmp/round", O_RDONLY)                 # ELOOP
A: lstat("/tmp/round")                          # 0
A: unlink("/tmp/round")                         # 0
## hard links are names of one inode
A: link("/tmp/file", "/tmp/a/file")             # 0
A: link("/tmp/a", "/tmp/directory")             # EPERM
A: link("/tmp/file", "/run/file")               # EXDEV
A: link("/tmp/file", "/tmp/a/file")             # EEXIST
A: fstat(f)                                     # 0 statbuf={st_nlink=2}
A: unlink("/tmp/file")                          # 0
A: renameat2(AT_FDCWD, "/tmp/a/file", AT_FDCWD, "/tmp/a/new", RENAME_NOREPLACE)    # EEXIST
A: renameat2(AT_FDCWD, "/tmp/a/file", AT_FDCWD, "/tmp/a/new", RENAME_EXCHANGE)     # 0
A: renameat2(AT_FDCWD, "/tmp/a/file", AT_FDCWD, "/tmp/a/none", RENAME_EXCHANGE)    # ENOENT
A: renameat2(AT_FDCWD, "/tmp/link", AT_FDCWD, "/tmp/a", RENAME_EXCHANGE)           # 0
A: renameat2(AT_FDCWD, "/tmp/link", AT_FDCWD, "/tmp/a", RENAME_EXCHANGE)           # 0
## relative names: the working directory, and directories behind descriptors
A: getcwd(100)                                  # 2 "/\x00"
A: mkfifo("fifo", 0600)                         # 0
A: chdir("/tmp/link")                           # 0
A: getcwd(100)                                  # 7 "/tmp/a\x00"
A: getcwd(3)                                    # ERANGE
A: mkfifo("fifo", 0600)                         # 0
A: stat("../a/fifo")                            # 0
A: openat(l, "fifo", O_RDWR) -> r               # 4
A: write(r, "through a directory")              # 19
A: mkdirat(l, "below", 0700)                    # 0
A: unlinkat(l, "below", 0)                      # EISDIR
A: unlinkat(l, "below", AT_REMOVEDIR)           # 0
A: fchdir(f)                                    # ENOTDIR
## descriptors below /proc stand for what they open, whatever its name is by now
A: open("/proc/self/fd/4", O_RDONLY|O_NONBLOCK) -> s   # 5
A: read(s, 100)                                 # 19 "through a directory"
A: mkfifo("/proc/self/fd/2/far", 0600)          # 0
A: stat("/proc/thread-self/fd/2/../a/far")      # 0
A: chmod("/proc/self/fd/4", 0640)               # 0
A: socket(AF_UNIX, SOCK_STREAM) -> k            # 6
A: bind(k, unix("/proc/self/fd/2/socket"))      # 0
A: listen(k, 1)                                 # 0
A: socket(AF_UNIX, SOCK_STREAM) -> c            # 7
A: connect(c, unix("/proc/self/cwd/socket"))    # 0
A: open("/proc/self/fd/6", O_RDONLY)            # ENXIO
A: open("/proc/self/fd/99", O_RDONLY)           # ENOENT
A: fork(CLONE_FS) -> B
## a shared working directory, and one that is removed
B: mkdir("gone", 0700)                          # 0
B: chdir("gone")                                # 0
A: getcwd(100)                                  # 12 "/tmp/a/gone\x00"
A: rmdir("/tmp/a/gone")                         # 0
A: getcwd(100)                                  # ENOENT
A: mkfifo("f", 0600)                            # ENOENT
A: stat("..")                                   # 0
