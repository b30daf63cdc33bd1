/*
 * Descriptors that are sent with an out-of-band byte of an AF_UNIX stream are accepted, and lost without a word.
 *
 * recvmsg(MSG_OOB) returns the byte, no SCM_RIGHTS, and no MSG_CTRUNC.
 *
 * cc unix-oob-rights-lost.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

/* Send a byte with a descriptor, receive it: length of the control data, -1 on error. */
static long try(int flags, int *got_flags)
{
	union control out = {
		.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	union control in;
	char byte = 'x';
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &out, .msg_controllen = sizeof(out)};
	int s[2], fd = 0;

	memcpy(CMSG_DATA(&out.header), &fd, sizeof(fd));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || sendmsg(s[0], &m, flags) != 1)
		return -1;
	m.msg_control = &in;
	m.msg_controllen = sizeof(in);
	if (recvmsg(s[1], &m, flags) != 1)
		return -1;
	*got_flags = m.msg_flags;
	return m.msg_controllen;
}

int main(void)
{
	int plain_flags, oob_flags;
	long plain = try(0, &plain_flags), oob = try(MSG_OOB, &oob_flags);

	if (plain < (long)CMSG_LEN(sizeof(int)) || oob < 0) {
		perror("AF_UNIX with SCM_RIGHTS and MSG_OOB");
		return 2;
	}
	printf("expected SCM_RIGHTS, or MSG_CTRUNC for what is lost (without MSG_OOB: %ld bytes of control data)\n", plain);
	printf("seen     %ld bytes of control data, %s\n", oob, oob_flags & MSG_CTRUNC ? "MSG_CTRUNC" : "no MSG_CTRUNC");
	return oob == 0 && !(oob_flags & MSG_CTRUNC);
}
