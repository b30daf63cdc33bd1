/*
 * splice() of 18 or more buffers of a pipe to a UDP socket drops the first 16, and says that it has sent them.
 *
 * cc splice-udp-lost.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Splice so many buffers of one byte into a UDP socket, each call with the length that is left. */
static int try(int buffers, int *said, int *arrived)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0), p[2];
	socklen_t length = sizeof(a);
	struct pollfd wait = {.fd = to, .events = POLLIN};
	char b[2000];

	if (bind(to, (struct sockaddr *)&a, sizeof(a)) || getsockname(to, (struct sockaddr *)&a, &length) ||
	    connect(from, (struct sockaddr *)&a, sizeof(a)) || pipe2(p, O_DIRECT) ||
	    fcntl(p[1], F_SETPIPE_SZ, 64 * 4096) < 0) {
		perror("sockets, pipe");
		return -1;
	}
	/* O_DIRECT: each write() is a buffer of its own; ordinary pipes have one for each page. */
	for (int i = 0; i < buffers; i++)
		if (write(p[1], "x", 1) != 1)
			return -1;
	*said = *arrived = 0;
	while (*said < buffers) {
		ssize_t n = splice(p[0], NULL, from, NULL, buffers - *said, SPLICE_F_NONBLOCK);

		if (n <= 0) {
			perror("splice");
			return -1;
		}
		*said += n;
	}
	while (poll(&wait, 1, 500) == 1)
		*arrived += recv(to, b, sizeof(b), MSG_DONTWAIT);
	close(to);
	close(from);
	close(p[0]);
	close(p[1]);
	return 0;
}

int main(void)
{
	static const int buffers[] = {16, 17, 18, 20, 33, 48};
	int said, arrived, lost = 0;

	printf("expected all bytes to arrive that splice() says it has sent\n");
	for (unsigned int i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
		if (try(buffers[i], &said, &arrived))
			return 2;
		printf("seen     %d buffers: splice() says %d bytes, %d arrived\n", buffers[i], said, arrived);
		lost += said - arrived;
	}
	return lost != 0;
}
