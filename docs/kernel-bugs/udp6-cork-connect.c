/*
 * connect() of an IPv6 UDP socket redirects a datagram that is held back for somebody else.
 *
 * A datagram is begun for one receiver (MSG_MORE), the socket is connected to another one, the datagram is ended.
 *
 * cc udp6-cork-connect.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

static int receiver(struct sockaddr_in6 *name)
{
	socklen_t length = sizeof(*name);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	*name = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	if (fd < 0 || bind(fd, (struct sockaddr *)name, length) || getsockname(fd, (struct sockaddr *)name, &length)) {
		perror("bind");
		return -1;
	}
	return fd;
}

static long take(int fd, const char *who)
{
	char data[64];
	long n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	if (n >= 0)
		printf("seen     %s got \"%.*s\"\n", who, (int)n, data);
	return n;
}

int main(void)
{
	struct sockaddr_in6 first, second;
	int x = receiver(&first), y = receiver(&second), s = socket(AF_INET6, SOCK_DGRAM, 0);
	long got, strayed;

	if (x < 0 || y < 0 || s < 0)
		return 2;
	if (sendto(s, "for the first", 13, MSG_MORE, (struct sockaddr *)&first, sizeof(first)) != 13 ||
	    connect(s, (struct sockaddr *)&second, sizeof(second)) || send(s, " receiver", 9, 0) != 9) {
		perror("send");
		return 2;
	}
	printf("expected the first got \"for the first receiver\"\n");
	got = take(x, "the first");
	strayed = take(y, "the second");
	return got != 22 || strayed >= 0;
}
