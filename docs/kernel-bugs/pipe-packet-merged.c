/*
 * Writes after a pipe was put into packet mode (O_DIRECT) are merged with what was written before.
 *
 * So they are no packets: one read() returns all.
 *
 * cc pipe-packet-merged.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char b[64];
	int p[2];
	ssize_t n, next;

	if (pipe2(p, O_NONBLOCK) || write(p[1], "abc", 3) != 3 || fcntl(p[1], F_SETFL, O_NONBLOCK | O_DIRECT)) {
		perror("pipe, F_SETFL");
		return 2;
	}
	/* "Each write(2) to the pipe is dealt with as a separate packet": pipe(2), which also allows this use of fcntl(). */
	if (write(p[1], "def", 3) != 3 || write(p[1], "ghi", 3) != 3)
		return 2;
	n = read(p[0], b, sizeof(b));
	next = read(p[0], b, sizeof(b));
	printf("expected reads of 3 and 3: what was there, and the first packet\n");
	printf("seen     reads of %zd and %zd\n", n, next);
	return n != 3;
}
