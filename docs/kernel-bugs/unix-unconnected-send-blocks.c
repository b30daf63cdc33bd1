/*
 * send() on an AF_UNIX datagram socket that is not connected sleeps for buffer space; it should fail with ENOTCONN.
 *
 * cc unix-unconnected-send-blocks.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

int main(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0ktrace-unconnected-send"};
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + 24;
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct timeval limit = {.tv_sec = 1};
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), r = socket(AF_UNIX, SOCK_DGRAM, 0), size = 4608, error;
	static char message[4000];
	struct timespec a, b;
	long ms;

	setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(r, (struct sockaddr *)&name, length) || connect(s, (struct sockaddr *)&name, length)) {
		perror("bind, connect");
		return 2;
	}
	/* The receiver does not read, so these messages go on to fill the sender's buffer ... */
	while (send(s, message, sizeof(message), MSG_DONTWAIT) > 0)
		;
	/* ... also when the sender has no peer any more. */
	if (errno != EAGAIN || connect(s, &none, sizeof(none))) {
		perror("fill, disconnect");
		return 2;
	}
	/* Without this limit send() would sleep until somebody reads. */
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (send(s, "x", 1, 0) != -1) {
		puts("send() succeeded");
		return 2;
	}
	error = errno;
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	printf("expected %s at once\n", strerror(ENOTCONN));
	printf("seen     %s after %ld ms (SO_SNDTIMEO is 1 s)\n", strerror(error), ms);
	return error != ENOTCONN;
}
