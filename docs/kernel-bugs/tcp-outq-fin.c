/*
 * SIOCOUTQ and SIOCOUTQNSD count the FIN as a byte of data that is not yet sent.
 *
 * cc tcp-outq-fin.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(int fd, int request)
{
	int n = -1;

	ioctl(fd, request, &n);
	return n;
}

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s, out, notsent, in;
	socklen_t length = sizeof(a);
	static char b[65536];
	long sent = 0, n;

	if (bind(l, (struct sockaddr *)&a, sizeof(a)) || getsockname(l, (struct sockaddr *)&a, &length) || listen(l, 1) ||
	    connect(c, (struct sockaddr *)&a, sizeof(a)) || (s = accept(l, NULL, NULL)) < 0) {
		perror("tcp");
		return 2;
	}
	/* Fill both sides, and let it come to rest: nobody reads. */
	fcntl(c, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 20; i++) {
		while ((n = write(c, b, sizeof(b))) > 0)
			sent += n;
		usleep(50000);
	}
	in = ask(s, SIOCINQ);
	out = ask(c, SIOCOUTQ);
	notsent = ask(c, SIOCOUTQNSD);
	if (in + out != sent) {
		printf("%ld written, %d received, %d not acknowledged: not at rest\n", sent, in, out);
		return 2;
	}
	shutdown(c, SHUT_WR);
	printf("expected SIOCOUTQ %d, SIOCOUTQNSD %d after shutdown(SHUT_WR), as before: no byte was added\n", out, notsent);
	printf("seen     SIOCOUTQ %d, SIOCOUTQNSD %d\n", ask(c, SIOCOUTQ), ask(c, SIOCOUTQNSD));
	return ask(c, SIOCOUTQ) != out || ask(c, SIOCOUTQNSD) != notsent;
}
