## path-root: the root directory exists
## kernel: 0 (fs/open.c: do_faccessat())
A: access("/", 0)                                  # 0
