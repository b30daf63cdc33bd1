/*
 * poll() says POLLIN on an AF_UNIX stream with nothing but an out-of-band byte, even one that was read already.
 *
 * recv() then has nothing. TCP says it right.
 *
 * cc unix-pollin-oob.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* POLLIN while an out-of-band byte is unread: 1, and when it has been read: 2. */
static int try(int from, int to)
{
	struct pollfd p = {.fd = to, .events = POLLIN};
	int result = 0;
	char b;

	if (send(from, "x", 1, MSG_OOB) != 1) {
		perror("MSG_OOB");
		return -1;
	}
	usleep(200000);
	result |= poll(&p, 1, 0) == 1 && p.revents & POLLIN ? 1 : 0;
	if (recv(to, &b, 1, MSG_OOB) != 1)
		return -1;
	result |= poll(&p, 1, 0) == 1 && p.revents & POLLIN ? 2 : 0;
	/* A peek shows that there is nothing, and leaves all as it is: a loop of poll() and peek would spin. */
	if (recv(to, &b, 1, MSG_PEEK | MSG_DONTWAIT) != -1)
		return -1;
	return result;
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s, u[2], local, tcp;
	socklen_t length = sizeof(a);

	if (bind(l, (struct sockaddr *)&a, sizeof(a)) || getsockname(l, (struct sockaddr *)&a, &length) || listen(l, 1) ||
	    connect(c, (struct sockaddr *)&a, sizeof(a)) || (s = accept(l, NULL, NULL)) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, u)) {
		perror("sockets");
		return 2;
	}
	local = try(u[0], u[1]);
	tcp = try(c, s);
	if (local < 0 || tcp < 0)
		return 2;
	printf("expected POLLIN: no while the out-of-band byte is unread, no when it was read (TCP: %s, %s)\n",
	       tcp & 1 ? "yes" : "no", tcp & 2 ? "yes" : "no");
	printf("seen     POLLIN: %s while the out-of-band byte is unread, %s when it was read\n", local & 1 ? "yes" : "no",
	       local & 2 ? "yes" : "no");
	return local != 0;
}
