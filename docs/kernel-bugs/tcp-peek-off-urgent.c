/*
 * SO_PEEK_OFF on TCP does not count an urgent byte that a peek passes over: the next peek returns a byte again.
 *
 * cc tcp-peek-off-urgent.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s, off = 0;
	socklen_t length = sizeof(a);
	char peeked[64] = "", read_[64] = "", byte;

	if (bind(l, (struct sockaddr *)&a, sizeof(a)) || getsockname(l, (struct sockaddr *)&a, &length) || listen(l, 1) ||
	    connect(c, (struct sockaddr *)&a, sizeof(a)) || (s = accept(l, NULL, NULL)) < 0) {
		perror("tcp");
		return 2;
	}
	if (setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off))) {
		perror("SO_PEEK_OFF");
		return 2;
	}
	/* "x" is urgent; SO_OOBINLINE is off, so ordinary reads and peeks pass over it. */
	if (send(c, "ab", 2, 0) != 2 || send(c, "x", 1, MSG_OOB) != 1 || send(c, "cd", 2, 0) != 2)
		return 2;
	usleep(200000);
	while (strlen(peeked) < 20 && recv(s, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
		strncat(peeked, &byte, 1);
	while (recv(s, &byte, 1, MSG_DONTWAIT) == 1)
		strncat(read_, &byte, 1);
	printf("expected peeks of one byte: \"%s\", as the reads that follow\n", read_);
	printf("seen     peeks of one byte: \"%s\"\n", peeked);
	return strcmp(peeked, read_) != 0;
}
