/*
 * splice() from a pipe that has an empty buffer only, to a socket, fails with errno 512, which no header has.
 *
 * cc splice-empty-errno-512.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	int p[2], s[2], seen;
	char *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t n;

	if (bad == MAP_FAILED || pipe(p) || socketpair(AF_UNIX, SOCK_STREAM, 0, s) ||
	    write(p[1], bad, 10) != -1 || errno != EFAULT)
		return 2;
	n = splice(p[0], NULL, s[0], NULL, 10, SPLICE_F_NONBLOCK);
	seen = n < 0 ? errno : 0;
	printf("expected splice() to fail with %d (%s): nothing is in the pipe\n", EAGAIN, strerror(EAGAIN));
	printf("seen     %d (%s)\n", seen, strerror(seen));
	if (seen == EAGAIN)
		return 0;
	n = splice(p[0], NULL, s[0], NULL, 10, 0);
	printf("         without SPLICE_F_NONBLOCK, where it should sleep: %d at once\n", n < 0 ? errno : 0);
	return 1;
}
