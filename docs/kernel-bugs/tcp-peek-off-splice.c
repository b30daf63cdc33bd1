/*
 * SO_PEEK_OFF on TCP does not go back when splice() takes bytes from the queue: peeks jump over data.
 *
 * AF_UNIX moves it back.
 *
 * cc tcp-peek-off-splice.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of "abcdef": peek 4, splice away 2, and return what a peek sees then; the manual: the offset goes from 4 to 2. */
static int try(int from, int to, char *seen)
{
	int p[2], off = 0;
	char b[8];
	ssize_t n;

	if (setsockopt(to, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)) || pipe(p) || send(from, "abcdef", 6, 0) != 6) {
		perror("SO_PEEK_OFF");
		return 2;
	}
	usleep(200000);
	if (recv(to, b, 4, MSG_PEEK) != 4 || splice(to, NULL, p[1], NULL, 2, 0) != 2) {
		perror("peek, splice");
		return 2;
	}
	n = recv(to, seen, 8, MSG_PEEK | MSG_DONTWAIT);
	seen[n > 0 ? n : 0] = 0;
	return 0;
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s, u[2];
	socklen_t length = sizeof(a);
	char tcp[16], local[16];

	if (bind(l, (struct sockaddr *)&a, sizeof(a)) || getsockname(l, (struct sockaddr *)&a, &length) || listen(l, 1) ||
	    connect(c, (struct sockaddr *)&a, sizeof(a)) || (s = accept(l, NULL, NULL)) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, u)) {
		perror("sockets");
		return 2;
	}
	if (try(c, s, tcp) || try(u[0], u[1], local))
		return 2;
	printf("expected \"ef\" on TCP as on AF_UNIX (\"%s\")\n", local);
	printf("seen     \"%s\" on TCP\n", tcp);
	return strcmp(tcp, "ef") != 0;
}
