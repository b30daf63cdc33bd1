/*
 * At the urgent mark of a TCP stream FIONREAD says 0 and splice() returns 0, though data lies behind it.
 *
 * Both mean "end of file" where poll() says readable, and stay so when the urgent byte has been read.
 *
 * cc tcp-at-mark.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s, p[2], queued = -1;
	socklen_t length = sizeof(a);
	struct pollfd wait = {.events = POLLIN};
	ssize_t spliced, read_;
	char b[8];

	if (bind(l, (struct sockaddr *)&a, sizeof(a)) || getsockname(l, (struct sockaddr *)&a, &length) || listen(l, 1) ||
	    connect(c, (struct sockaddr *)&a, sizeof(a)) || (s = accept(l, NULL, NULL)) < 0 || pipe(p) ||
	    send(c, "x", 1, MSG_OOB) != 1 || send(c, "cd", 2, 0) != 2) {
		perror("tcp");
		return 2;
	}
	usleep(200000);
	wait.fd = s;
	/* The urgent byte is taken the usual way; two ordinary bytes are left. */
	if (recv(s, b, 1, MSG_OOB) != 1 || poll(&wait, 1, 0) != 1 || !(wait.revents & POLLIN))
		return 2;
	ioctl(s, FIONREAD, &queued);
	spliced = splice(s, NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK);
	read_ = recv(s, b, sizeof(b), MSG_DONTWAIT);
	printf("expected FIONREAD and splice(): %zd, the bytes that recv() takes then\n", read_);
	printf("seen     FIONREAD %d, splice() %zd\n", queued, spliced);
	return queued != read_ || spliced != 2;
}
