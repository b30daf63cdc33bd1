## pipe-stat: what fstat, readlink and chmod say of pipes, FIFOs and files
A: pipe([r, w])                                       # 0
A: fstat(r)                                           # 0 _
A: fstat(w)                                           # 0 statbuf={st_mode=S_IFIFO|0600, st_nlink=1, st_size=0}
A: readlink("/proc/self/fd/0", 100)                   # _
A: umask(0)                                           # 022
A: mkfifo("/tmp/fifo", 0666)                          # 0
A: stat("/tmp/fifo")                                  # 0 statbuf={st_mode=S_IFIFO|0666, st_uid=0}
A: chmod("/tmp/fifo", 0620)                           # 0
A: chown("/tmp/fifo", 1000, 100)                      # 0
A: open("/tmp/fifo", O_RDWR) -> f                     # _
A: fchmod(f, 0600)                                    # 0
A: readlink("/proc/self/fd/2", 100)                   # 9 "/tmp/fifo"
A: rename("/tmp/fifo", "/tmp/other")                  # 0
A: access("/tmp/other", 4)                            # 0
A: access("/tmp/fifo", 0)                             # ENOENT
spawn U uid=1000 gid=100
U: access("/tmp/other", 6)                            # 0
U: open("/tmp/other", O_WRONLY|O_NONBLOCK) -> uw      # _
U: write(uw, "mine")                                  # 4
U: chown("/tmp/other", 0, -1)                         # EPERM
spawn V uid=1001
V: open("/tmp/other", O_RDONLY|O_NONBLOCK)            # EACCES
V: unlink("/tmp/other")                               # EPERM
A: memfd_create("m", MFD_CLOEXEC) -> m                # _
A: write(m, "0123456789")                             # 10
A: fstat(m)                                           # 0 statbuf={st_mode=S_IFREG|0777, st_nlink=0, st_size=10}
A: sendfile(w, m, 3, 4)                               # 4 7
A: read(r, 10)                                        # 4 "3456"
A: close(m)                                           # 0
A: stat("/tmp/none")                                  # ENOENT
A: fstat(99)                                          # EBADF
