/*
 * SO_PEEK_OFF on an AF_UNIX stream returns an out-of-band byte as data when a peek starts right before it.
 *
 * SO_OOBINLINE is off, and no read ever returns the byte so.
 *
 * cc unix-peek-off-oob.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(void)
{
	int s[2], off = 0;
	char peeked[64] = "", read_[64] = "", b[8];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || setsockopt(s[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)) ||
	    send(s[0], "ab", 2, 0) != 2 || send(s[0], "x", 1, MSG_OOB) != 1 || send(s[0], "cd", 2, 0) != 2) {
		perror("AF_UNIX with MSG_OOB");
		return 2;
	}
	while (strlen(peeked) < 20 && (n = recv(s[1], b, sizeof(b), MSG_PEEK | MSG_DONTWAIT)) > 0)
		strncat(peeked, b, n);
	while ((n = recv(s[1], b, sizeof(b), MSG_DONTWAIT)) > 0)
		strncat(read_, b, n);
	printf("expected peeks: \"%s\", as the reads that follow\n", read_);
	printf("seen     peeks: \"%s\"\n", peeked);
	return strcmp(peeked, read_) != 0;
}
