/*
 * poll() on an AF_UNIX stream does not know SO_RCVLOWAT: it says readable, and recv() sleeps.
 *
 * cc unix-poll-rcvlowat.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

int main(void)
{
	struct timeval limit = {.tv_sec = 1};
	struct timespec a, b;
	int s[2], low = 10, ready;
	struct pollfd p = {.events = POLLIN};
	char buffer[16];
	long ms;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || setsockopt(s[0], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)) ||
	    setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) || send(s[1], "abc", 3, 0) != 3) {
		perror("AF_UNIX");
		return 2;
	}
	p.fd = s[0];
	ready = poll(&p, 1, 0) == 1 && p.revents & POLLIN;
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (recv(s[0], buffer, sizeof(buffer), 0) != 3)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	printf("expected not readable: 3 bytes are queued, SO_RCVLOWAT is %d\n", low);
	printf("seen     %s; recv() then slept for %ld ms (SO_RCVTIMEO is 1 s)\n", ready ? "readable" : "not readable", ms);
	return ready;
}
