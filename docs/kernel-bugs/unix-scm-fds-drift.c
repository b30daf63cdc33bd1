/*
 * "scm_fds" in the fdinfo of an AF_UNIX socket never goes down again for messages that were thrown away.
 *
 * It counts the descriptors that are queued. Messages are thrown away by connect(AF_UNSPEC), and with an out-of-band
 * byte that recv() passes over.
 *
 * cc unix-scm-fds-drift.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int scm_fds(int fd)
{
	char path[64], line[256];
	int n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "scm_fds: %d", &n);
	if (f)
		fclose(f);
	return n;
}

static int send_fd(int to, int fd, int flags)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec data = {.iov_base = "x", .iov_len = 1};
	struct msghdr m = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(to, &m, flags) == 1;
}

int main(void)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	int d[2], s[2], dropped, skipped;
	char b[8];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, d) || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		return 2;
	if (!send_fd(d[0], 0, 0) || scm_fds(d[1]) != 1 || connect(d[1], &none, sizeof(none))) {
		puts("no scm_fds in fdinfo, or the descriptor could not be sent");
		return 2;
	}
	dropped = scm_fds(d[1]);
	if (!send_fd(s[0], 0, MSG_OOB) || recv(s[1], b, sizeof(b), MSG_DONTWAIT) != -1)
		return 2;
	skipped = scm_fds(s[1]);
	printf("expected scm_fds 0 after connect(AF_UNSPEC) emptied the queue, 0 after the out-of-band byte was skipped\n");
	printf("seen     scm_fds %d after connect(AF_UNSPEC) emptied the queue, %d after the out-of-band byte was skipped\n",
	       dropped, skipped);
	return dropped != 0 || skipped != 0;
}
