## mmap-file: a file of /tmp (or of memfd_create) mapped
## kernel: the address (mm/mmap.c: do_mmap(), mm/shmem.c: shmem_mmap())
A: memfd_create("m", 0) -> m
A: ftruncate(m, 8192)                              # 0
A: mmap(0x20000000, 8192, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED, m, 0)    # 0x20000000
