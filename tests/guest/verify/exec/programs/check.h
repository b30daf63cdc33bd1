/* What tests of system calls begin with: a check that says where it failed, and goes on. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <signal.h>
#include <poll.h>
#include <time.h>
#include <sys/wait.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/resource.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
static int bad;
#define T(cond) do { if (!(cond)) { bad++; printf("line %d: %s (%s)\n", __LINE__, #cond, strerror(errno)); } } while (0)
#define E(call, err) do { errno = 0; if ((long)(call) != -1 || errno != (err)) { bad++; printf("line %d: %s: %s\n", __LINE__, #call, strerror(errno)); } } while (0)
#define END do { puts(bad ? "bad" : "ok"); return bad != 0; } while (0)
