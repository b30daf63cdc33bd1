/*
 * send() on an AF_UNIX SOCK_SEQPACKET socket that is shut down fails with EPIPE, but raises no SIGPIPE.
 *
 * The same when the peer is gone. SOCK_STREAM raises it.
 *
 * cc unix-seqpacket-sigpipe.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void count(int number)
{
	(void)number;
	signals++;
}

/* Signals of one send() that fails with EPIPE, -1 if it does not. */
static int try(int type, int shut)
{
	int s[2];

	if (socketpair(AF_UNIX, type, 0, s))
		return -1;
	if (shut)
		shutdown(s[0], SHUT_WR);
	else
		close(s[1]);
	signals = 0;
	if (send(s[0], "x", 1, 0) != -1 || errno != EPIPE)
		return -1;
	return signals;
}

int main(void)
{
	int stream[2], packets[2];

	signal(SIGPIPE, count);
	for (int shut = 0; shut < 2; shut++) {
		stream[shut] = try(SOCK_STREAM, shut);
		packets[shut] = try(SOCK_SEQPACKET, shut);
		if (stream[shut] < 0 || packets[shut] < 0)
			return 2;
	}
	printf("expected SIGPIPE with EPIPE on SOCK_SEQPACKET, as on SOCK_STREAM (peer closed: %d, own shutdown: %d)\n",
	       stream[0], stream[1]);
	printf("seen     on SOCK_SEQPACKET: peer closed: %d, own shutdown: %d\n", packets[0], packets[1]);
	return packets[0] != 1 || packets[1] != 1;
}
