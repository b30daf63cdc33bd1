## path-relative: a socket and a FIFO in the current directory, which is / where nobody called chdir
## kernel: 0 (net/unix/af_unix.c: unix_bind_bsd(), fs/namei.c: filename_create())
A: mkfifo("f", 0600)                               # 0
A: socket(AF_UNIX, SOCK_STREAM) -> s
A: bind(s, unix("sock"))                           # 0
