/*
 * A UDP socket with SO_REUSEPORT that was connected once is out of its group for ever.
 *
 * After connect(AF_UNSPEC) one of the sockets gets all datagrams, the others none.
 *
 * cc udp-reuseport-disconnect.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAMS 64

static struct sockaddr_in at(in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int count(int fd)
{
	char c;
	int n = 0;

	while (recv(fd, &c, 1, MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

/* Each datagram comes from a port of its own, so that the hash spreads them. */
static void send_all(struct sockaddr_in to, const int s[2], int got[2])
{
	for (int i = 0; i < DATAGRAMS; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
		close(fd);
	}
	got[0] = count(s[0]);
	got[1] = count(s[1]);
}

int main(void)
{
	struct sockaddr_in name = at(0), peer = at(htons(9));
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	socklen_t length = sizeof(name);
	int s[2], on = 1, before[2], after[2], probe = socket(AF_INET, SOCK_DGRAM, 0);

	/* A port that is free; asked for by number, since a port that the kernel chose is given up by connect(AF_UNSPEC). */
	if (bind(probe, (struct sockaddr *)&name, sizeof(name)) || getsockname(probe, (struct sockaddr *)&name, &length)) {
		perror("bind");
		return 2;
	}
	close(probe);
	for (int i = 0; i < 2; i++) {
		s[i] = socket(AF_INET, SOCK_DGRAM, 0);
		setsockopt(s[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		if (bind(s[i], (struct sockaddr *)&name, sizeof(name))) {
			perror("bind");
			return 2;
		}
	}
	send_all(name, s, before);
	if (before[0] + before[1] != DATAGRAMS || !before[0] || !before[1]) {
		printf("fresh sockets got %d and %d of %d\n", before[0], before[1], DATAGRAMS);
		return 2;
	}
	if (connect(s[0], (struct sockaddr *)&peer, sizeof(peer)) || connect(s[0], &none, sizeof(none))) {
		perror("connect");
		return 2;
	}
	send_all(name, s, after);
	printf("expected both sockets to get some of %d datagrams, as when fresh (%d and %d)\n", DATAGRAMS, before[0],
	       before[1]);
	printf("seen     %d and %d after the first one was connected and disconnected\n", after[0], after[1]);
	return !after[0] || !after[1];
}
