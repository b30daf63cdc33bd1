/* What /init is made of besides init.c. */
#ifndef KTRACE_INIT_H
#define KTRACE_INIT_H

#define WHO "ktrace-init"
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_DGRAM 2
#define SOCK_RAW 3

void report(const char *what, long ret);
void acknowledge_at_once(void);
void load_modules(void);

#endif
