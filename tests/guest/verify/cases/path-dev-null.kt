## path-dev-null: /dev/null, /dev/zero, /dev/shm, /proc/self/maps and / are there
## kernel: 0 (fs/open.c: do_sys_openat2())
A: open("/dev/null", O_RDWR) -> n                  # 0
