## directory-open: a directory is opened, and its entries stay
## kernel: entries stay (fs/libfs.c: dcache_dir_open()).
A: open("/tmp/file", O_RDWR|O_CREAT, 0600) -> f    # 0
A: open("/tmp", O_RDONLY) -> d                     # 1
