## pipe-corners: rings that grow under a sleeping splice, buffers of no bytes, packets larger than the room
A: pipe([r, w])                                       # 0
A: pipe([r2, w2])                                     # 0
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f
A: fork() -> B
A: fork() -> C
## the vector of iter_file_splice_write() was made for a smaller ring
A: fcntl(w, F_SETPIPE_SZ, 4096)                       # 4096
B: splice(r, NULL, f, NULL, 100000, 0)                # blocked
A: fcntl(w, F_SETPIPE_SZ, 65536)                      # 65536
A: write(w, "x" * 9000)                               # 9000; B: 9000
A: pread64(f, 3, 8998)                                # 2
A: fcntl(r, F_SETFL, O_NONBLOCK)                      # 0
A: fcntl(r2, F_SETFL, O_NONBLOCK)                     # 0
## a bad address leaves a buffer of no bytes
A: writev(w, [{0xbad000, 10}])                        # EFAULT
A: writev(w, ["y" * 4096, {0xbad000, 10}])            # 4096 if pipe_write_whole else 10
A: splice(r, NULL, f, NULL, 100, SPLICE_F_NONBLOCK)   # 100 if pipe_write_whole else 10
A: read(r, 5000)                                      # 3996 if pipe_write_whole else EAGAIN
A: writev(w, [{0xbad000, 10}])                        # EFAULT
A: writev(w, ["z" * 4090, {0xbad000, 10}])            # EFAULT if pipe_write_whole else 4
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [s, t])        # 0
A: splice(r, NULL, s, NULL, 100, SPLICE_F_NONBLOCK)   # EAGAIN if pipe_write_whole else 4
A: read(r, 5000)                                      # EAGAIN
A: mmap(0x10000000, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED)
A: writev(w, [{0xbad000, 10}])                        # EFAULT
B: vmsplice(r, [{0x10000000, 10}], SPLICE_F_NONBLOCK) # EAGAIN
A: writev(w, [{0xbad000, 10}])                        # EFAULT
A: tee(r, w2, 10, SPLICE_F_NONBLOCK)                  # EAGAIN if pipe_write_whole else 0
A: splice(r, NULL, w2, NULL, 10, SPLICE_F_NONBLOCK)   # EAGAIN
A: read(r2, 10)                                       # EAGAIN
## the head of a packet is one buffer, its pages another: only one has room
A: pipe([r3, w3])                                     # 0
A: fcntl(r3, F_SETFL, O_NONBLOCK)                     # 0
A: fcntl(w3, F_SETPIPE_SZ, 4096)                      # 4096
A: write(s, "p" * 20000)                              # 20000
A: splice(t, NULL, w3, NULL, 5000, 0)                 # 3616 if pipe_write_whole else 4
A: splice(t, NULL, w3, NULL, 5000, SPLICE_F_NONBLOCK) # EAGAIN
A: read(r3, 5000)                                     # 3616 if pipe_write_whole else 4
A: splice(t, NULL, w3, NULL, 5000, SPLICE_F_NONBLOCK) # 4096 if pipe_write_whole else 3616
A: read(r3, 5000)                                     # 4096 if pipe_write_whole else 3616
## packets into small rings are cut
A: socketpair(AF_UNIX, SOCK_DGRAM, 0, [d, e])         # 0
A: write(d, "q" * 10000)                              # 10000
A: splice(e, NULL, w3, NULL, 65536, 0)                # 4096
A: read(r3, 5000)                                     # 4096
A: write(d, "")                                       # 0
A: splice(e, NULL, w3, NULL, 65536, 0)                # 0
A: fcntl(e, F_SETFL, O_NONBLOCK)                      # 0
A: splice(e, NULL, w3, NULL, 65536, 0)                # EAGAIN
## a signal ends waiting for room, and what was moved counts
A: write(w3, "full")                                  # 4
A: pipe([r4, w4])                                     # 0
A: write(w4, "a")                                     # 1
B: splice(r3, NULL, w4, NULL, 0, 0)                   # 0
C: write(w4, "no reader waits")                       # EBADF
A: close(r4)                                          # 0
C: close(r4)                                          # EBADF
A: splice(r3, NULL, w4, NULL, 10, 0)                  # SIGPIPE; EPIPE
A: tee(r3, w4, 10, 0)                                 # SIGPIPE; EPIPE
A: vmsplice(w4, [{0x10000000, 10}], 0)                # SIGPIPE; EPIPE
A: sendfile(w4, f, 0, 10)                             # SIGPIPE; EPIPE
## pipes for notifications are let go with their queues
when watch_queue {
A: pipe2([n, m], O_NOTIFICATION_PIPE)                 # 0
A: ioctl(n, IOC_WATCH_QUEUE_SET_SIZE, 40)             # 0
A: fcntl(m, F_GETPIPE_SZ)                             # 8192
A: close(n)                                           # 0
A: close(m)                                           # 0
A: pipe2([n, m], O_NOTIFICATION_PIPE|O_CLOEXEC)       # 0
A: ioctl(n, IOC_WATCH_QUEUE_SET_FILTER, 0)            # 0
A: exec()                                             # 0
A: close(n)                                           # EBADF
}
## sendfile() gives up in the middle, and keeps its own pipe
A: socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])        # 0
A: setsockopt(x, SOL_SOCKET, SO_SNDBUF, 2048)         # 0
A: fcntl(x, F_SETFL, O_NONBLOCK)                      # 0
A: ftruncate(f, 300000)                               # 0
A: sendfile(x, f, 0, 300000)                          # 65536 if splice_to_socket else 69632
A: sendfile(x, f, 0, 300000)                          # EAGAIN
A: shutdown(y, SHUT_RD)                               # 0
A: sendfile(x, f, 0, 10)                              # SIGPIPE; EPIPE
A: close(y)                                           # 0
A: sendfile(x, f, 0, 10)                              # SIGPIPE; EPIPE
## no more open files than fs.file-max, but for root
V: mkfifo("/tmp/f", 0666)                             # 0
V: pipe([r, w])                                       # 0
sysctl("fs/file-max", "0")
spawn U uid=1000
U: open("/tmp/f", O_RDWR)                             # ENFILE
U: open("/tmp/nothing", O_RDWR)                       # ENFILE
U: open("", O_RDWR)                                   # ENOENT
U: pipe([x, y])                                       # ENFILE
U: epoll_create1(0)                                   # ENFILE
U: memfd_create("m", 0)                               # ENFILE
V: pipe([x, y])                                       # 0
V: open("/tmp/f", O_RDWR)                             # 4
sysctl("fs/file-max", "100000")
U: pipe([x, y])                                       # 0
