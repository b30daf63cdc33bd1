## length-address: sizeof(struct sockaddr_un) as the length of a short abstract name
## kernel: takes all the bytes (net/socket.c: move_addr_to_kernel(), net/unix/af_unix.c: unix_bind_abstract()); those behind the name are left from calls before
A: socket(AF_UNIX, SOCK_STREAM) -> f
A: bind(f, unix(@"first"))                         # 0
A: socket(AF_UNIX, SOCK_STREAM) -> k
A: bind(k, unix(@"ab"), 10)                        # 0
