/*
 * TCP_WINDOW_CLAMP is forgotten: at the first full segment that arrives, and by a later SO_RCVBUF.
 *
 * cc tcp-window-clamp-forgotten.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLAMP 8192

static int clamp_of(int fd)
{
	int n = -1;
	socklen_t length = sizeof(n);

	getsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &n, &length);
	return n;
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), d = socket(AF_INET, SOCK_STREAM, 0);
	int clamp = CLAMP, room = 100000, s, accepted, resized;
	socklen_t length = sizeof(a);
	static char b[200000];
	unsigned int window = 0;

	/* SO_RCVBUF first: the buffer is locked, so nothing tunes it, and with it the clamp. */
	if (setsockopt(l, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) ||
	    setsockopt(l, IPPROTO_TCP, TCP_WINDOW_CLAMP, &clamp, sizeof(clamp)) ||
	    bind(l, (struct sockaddr *)&a, sizeof(a)) || getsockname(l, (struct sockaddr *)&a, &length) || listen(l, 1) ||
	    connect(c, (struct sockaddr *)&a, sizeof(a)) || (s = accept(l, NULL, NULL)) < 0) {
		perror("tcp");
		return 2;
	}
	accepted = clamp_of(s);
	fcntl(c, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 200; i++) {
		struct tcp_info info;

		memset(&info, 0, sizeof(info));
		length = sizeof(info);
		if (write(c, b, sizeof(b)) < 0 && i == 0)
			return 2;
		usleep(500);
		/* The window that the receiver gives to the sender. */
		if (!getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &length) && info.tcpi_snd_wnd > window)
			window = info.tcpi_snd_wnd;
		while (recv(s, b, sizeof(b), MSG_DONTWAIT) > 0)
			;
	}
	setsockopt(d, IPPROTO_TCP, TCP_WINDOW_CLAMP, &clamp, sizeof(clamp));
	setsockopt(d, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	resized = clamp_of(d);
	printf("expected TCP_WINDOW_CLAMP %d when accepted, %d after data, %d after SO_RCVBUF; windows up to %d\n", CLAMP,
	       CLAMP, CLAMP, CLAMP);
	printf("seen     TCP_WINDOW_CLAMP %d when accepted, %d after data, %d after SO_RCVBUF; windows up to %u\n",
	       accepted, clamp_of(s), resized, window);
	return clamp_of(s) != CLAMP || resized != CLAMP || window > CLAMP;
}
