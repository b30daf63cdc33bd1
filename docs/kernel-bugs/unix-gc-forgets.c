/*
 * Sockets of AF_UNIX that are closed everywhere and only travel in messages to each other are never collected, where
 * the collector finds them by one way and not by another: the files that travel with them stay open for ever.
 *
 * cc unix-gc-forgets.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_fds(int to, int n, const int *fds)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr header;
	} control = {.header = {
			     .cmsg_len = CMSG_LEN(n * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec data = {.iov_base = "x", .iov_len = 1};
	struct msghdr m = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};

	memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
	return sendmsg(to, &m, 0) == 1;
}

/* 1: the pipe whose writing end travels is closed in the end, 0: it is not, -1: could not be tried */
static int collected(const char (*order)[3])
{
	int p[2], s[3][2], i, travels[2];
	struct pollfd reader = {.events = POLLIN};

	if (pipe(p))
		return -1;
	for (i = 0; i < 3; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s[i]))
			return -1;
	for (i = 0; i < 4; i++) {
		/* what is sent from the other end waits at the first one */
		travels[0] = s[order[i][0] - 'a'][0];
		travels[1] = p[1];
		if (!send_fds(s[order[i][1] - 'a'][1], i ? 1 : 2, travels))
			return -1;
	}
	close(p[1]);
	for (i = 0; i < 3; i++) {
		close(s[i][0]);
		close(s[i][1]);
	}
	/* the collector runs whenever a socket of AF_UNIX is closed */
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	reader.fd = p[0];
	i = poll(&reader, 1, 2000);
	return i < 0 ? -1 : i == 1 && reader.revents & POLLHUP;
}

int main(void)
{
	/* "ab": a travels to b */
	int one = collected((const char[][3]){"ab", "ba", "bc", "cb"});
	int other = collected((const char[][3]){"ab", "bc", "cb", "ba"});

	if (one < 0 || other < 0)
		return 2;
	puts("expected end of file of a pipe whose writer is in a message that nobody can read: 1 1");
	printf("seen                                                                          %d %d\n", one, other);
	return one != 1 || other != 1;
}
