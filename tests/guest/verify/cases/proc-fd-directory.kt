## proc-fd-directory: a FIFO made below a directory's descriptor, the way round long names of sockets
## kernel: 0 (fs/namei.c: filename_create(), fs/proc/base.c: proc_pid_get_link())
A: mkdir("/tmp/d", 0700)                           # 0
A: open("/tmp/d", O_PATH) -> d                     # 0
A: mkfifo("/proc/self/fd/0/f", 0600)               # 0
