/*
 * FIONREAD of an AF_UNIX stream stays one too large for each out-of-band byte that recv() passed over.
 *
 * cc unix-fionread-oob.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int inq(int fd)
{
	int n = -1;

	ioctl(fd, FIONREAD, &n);
	return n;
}

int main(void)
{
	int s[2], empty, three;
	ssize_t taken;
	char b[16];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || send(s[0], "q", 1, MSG_OOB) != 1) {
		perror("AF_UNIX with MSG_OOB");
		return 2;
	}
	/* SO_OOBINLINE is off: an ordinary read passes over the byte, and finds nothing. */
	if (recv(s[1], b, sizeof(b), MSG_DONTWAIT) != -1) {
		puts("recv() did not skip the out-of-band byte");
		return 2;
	}
	empty = inq(s[1]);
	send(s[0], "abc", 3, 0);
	three = inq(s[1]);
	taken = recv(s[1], b, sizeof(b), MSG_DONTWAIT);
	printf("expected FIONREAD 0 when nothing is queued, 3 when 3 bytes are\n");
	printf("seen     FIONREAD %d when nothing is queued, %d when 3 bytes are\n", empty, three);
	printf("         (recv() then takes %zd, and FIONREAD says %d)\n", taken, inq(s[1]));
	return empty != 0 || three != 3;
}
