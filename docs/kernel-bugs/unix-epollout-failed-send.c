/*
 * A send() that fails with ENOTCONN on an AF_UNIX datagram socket gives an edge-triggered EPOLLOUT event.
 *
 * So a loop that sends on each event runs for ever.
 *
 * cc unix-epollout-failed-send.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

int main(void)
{
	struct epoll_event event = {.events = EPOLLOUT | EPOLLET}, got;
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), e = epoll_create1(0), sends = 0, events = 0;

	if (s < 0 || e < 0 || epoll_ctl(e, EPOLL_CTL_ADD, s, &event)) {
		perror("epoll_ctl");
		return 2;
	}
	if (epoll_wait(e, &got, 1, 0) != 1 || epoll_wait(e, &got, 1, 0) != 0) {
		puts("the first edge is not one event");
		return 2;
	}
	/* What an event loop does: send while there are events, at most 100 times. */
	for (; sends < 100; sends++) {
		if (send(s, "x", 1, 0) != -1 || errno != ENOTCONN) {
			printf("send: %s, not ENOTCONN\n", strerror(errno));
			return 2;
		}
		if (epoll_wait(e, &got, 1, 0) != 1)
			break;
		events++;
	}
	printf("expected 0 events from sends that failed with ENOTCONN\n");
	printf("seen     %d events from %d sends that failed with ENOTCONN\n", events, sends < 100 ? sends + 1 : sends);
	return events != 0;
}
