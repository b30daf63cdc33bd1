## socket-ioctls: ioctls for interfaces and routes read their argument first, whoever asks
A: socket(AF_INET, SOCK_DGRAM, 0) -> s
A: ioctl(s, SIOCGIFINDEX, NULL)         # EFAULT
A: ioctl(s, SIOCGIFNAME, BAD)           # EFAULT
A: ioctl(s, SIOCADDRT, NULL)            # EFAULT
A: ioctl(s, SIOCGARP, NULL)             # EFAULT
A: ioctl(s, SIOCETHTOOL, NULL)          # EFAULT
A: ioctl(s, SIOCDEVPRIVATE, NULL)       # EFAULT
A: ioctl(s, SIOCPROTOPRIVATE, NULL)     # EFAULT
A: socket(AF_INET6, SOCK_DGRAM, 0) -> t
A: ioctl(t, SIOCADDRT, NULL)            # EFAULT
A: ioctl(t, SIOCGIFADDR, NULL)          # EFAULT
A: ioctl(t, SIOCGARP, NULL)             # EFAULT
A: socket(AF_UNIX, SOCK_DGRAM, 0) -> u
A: ioctl(u, SIOCADDRT, NULL)            # EFAULT
A: ioctl(u, SIOCGIFCONF, BAD)           # EFAULT
A: ioctl(u, SIOCDRARP, NULL)            # EFAULT
spawn U uid=5 gid=5
U: socket(AF_INET, SOCK_DGRAM, 0) -> v
U: ioctl(v, SIOCADDRT, NULL)            # EFAULT
U: ioctl(v, SIOCSIFFLAGS, NULL)         # EFAULT
U: ioctl(v, SIOCGARP, NULL)             # EFAULT
U: ioctl(v, SIOCSIFMTU, BAD)            # EFAULT
U: socket(AF_INET6, SOCK_DGRAM, 0) -> w
U: ioctl(w, SIOCADDRT, NULL)            # EFAULT
U: ioctl(w, SIOCDELRT, NULL)            # EFAULT
U: ioctl(w, SIOCSIFNETMASK, NULL)       # EFAULT
U: ioctl(w, SIOCETHTOOL, NULL)          # EFAULT
