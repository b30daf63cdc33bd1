/*
 * A write to a pipe that is not empty gives no event to an edge-triggered epoll that watches an epoll with the pipe.
 *
 * It does for sockets and eventfds.
 *
 * cc epoll-nested-pipe.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Events of three writes, one after the other, none of them read. */
static int try(int from, int to)
{
	struct epoll_event level = {.events = EPOLLIN}, edge = {.events = EPOLLIN | EPOLLET}, got;
	int inner = epoll_create1(0), outer = epoll_create1(0), events = 0;

	if (epoll_ctl(inner, EPOLL_CTL_ADD, from, &level) || epoll_ctl(outer, EPOLL_CTL_ADD, inner, &edge)) {
		perror("epoll_ctl");
		return -1;
	}
	for (int i = 0; i < 3; i++) {
		if (write(to, "x", 1) != 1)
			return -1;
		events += epoll_wait(outer, &got, 1, 0);
	}
	return events;
}

int main(void)
{
	int p[2], s[2], in_pipe, in_socket;

	if (pipe(p) || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		return 2;
	in_pipe = try(p[0], p[1]);
	in_socket = try(s[0], s[1]);
	if (in_pipe < 0 || in_socket < 0)
		return 2;
	printf("expected 3 events for 3 writes to a pipe, as for a socket (%d)\n", in_socket);
	printf("seen     %d\n", in_pipe);
	return in_pipe != in_socket;
}
