/*
 * splice() of a pipe with exactly 16 buffers never sends its UDP datagram: the last message is marked MSG_MORE.
 *
 * It takes a length greater than what the pipe holds. For TCP the last bytes wait 200 ms.
 *
 * cc splice-16-buffers.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * Splice buffers of one byte each into a socket, with length 1000: bytes that arrive, -1 if none within a second, and
 * the milliseconds until then.
 */
static int try(int type, int buffers, long *ms)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int to = socket(AF_INET, type, 0), from = socket(AF_INET, type, 0), p[2], got;
	struct timespec start, end;
	socklen_t length = sizeof(a);
	struct pollfd wait = {.events = POLLIN};
	char b[2000];

	if (bind(to, (struct sockaddr *)&a, sizeof(a)) || getsockname(to, (struct sockaddr *)&a, &length) ||
	    (type == SOCK_STREAM && listen(to, 1)) || connect(from, (struct sockaddr *)&a, sizeof(a)) ||
	    (type == SOCK_STREAM && (to = accept(to, NULL, NULL)) < 0) || pipe2(p, O_DIRECT)) {
		perror("sockets, pipe");
		return -2;
	}
	wait.fd = to;
	/* O_DIRECT: each write() is a buffer of its own; ordinary pipes reach 16 buffers with 16 pages. */
	for (int i = 0; i < buffers; i++)
		if (write(p[1], "x", 1) != 1)
			return -2;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (splice(p[0], NULL, from, NULL, 1000, 0) != buffers) {
		perror("splice");
		return -2;
	}
	got = poll(&wait, 1, 1000) == 1 ? recv(to, b, sizeof(b), MSG_DONTWAIT) : -1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	*ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	if (got == -1 && type == SOCK_DGRAM) {
		/* It lies in the socket: the next message takes it along. */
		send(from, "y", 1, 0);
		if (poll(&wait, 1, 1000) == 1)
			printf("(%d buffers: nothing arrived; the next send() of 1 byte brought a datagram of %zd)\n",
			       buffers, recv(to, b, sizeof(b), MSG_DONTWAIT));
	}
	close(to);
	close(from);
	close(p[0]);
	close(p[1]);
	return got;
}

int main(void)
{
	long ms;
	int few, full, first;

	first = try(SOCK_STREAM, 15, &ms); /* Not measured: the first segment of all is slower than the next. */
	few = try(SOCK_DGRAM, 15, &ms);
	full = try(SOCK_DGRAM, 16, &ms);
	if (first == -2 || few == -2 || full == -2)
		return 2;
	printf("expected datagrams of 15 and 16 bytes (-1: none arrived) from pipes with 15 and 16 buffers\n");
	printf("seen     datagrams of %d and %d bytes (-1: none arrived) from pipes with 15 and 16 buffers\n", few, full);
	for (int buffers = 15; buffers <= 16; buffers++) {
		int bytes = try(SOCK_STREAM, buffers, &ms);

		printf("         (TCP, %d buffers: %d bytes after %ld ms)\n", buffers, bytes, ms);
	}
	return few != 15 || full != 16;
}
