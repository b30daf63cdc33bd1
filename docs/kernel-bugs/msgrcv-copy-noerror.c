/*
 * msgrcv(MSG_COPY | MSG_NOERROR) of a message that is longer than the buffer fails with EINVAL.
 *
 * Without MSG_COPY it is truncated, as the manual says.
 *
 * cc msgrcv-copy-noerror.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

int main(void)
{
	struct {
		long type;
		char text[16];
	} m = {1, "hello world"};
	int q = msgget(IPC_PRIVATE, 0600), error;
	ssize_t copied, taken;

	if (q < 0 || msgsnd(q, &m, 11, 0)) {
		perror("msgsnd");
		return 2;
	}
	if (msgrcv(q, &m, 11, 0, MSG_COPY | IPC_NOWAIT) != 11) {
		perror("MSG_COPY");
		return 2;
	}
	errno = 0;
	copied = msgrcv(q, &m, 5, 0, MSG_COPY | MSG_NOERROR | IPC_NOWAIT);
	error = errno;
	taken = msgrcv(q, &m, 5, 0, MSG_NOERROR | IPC_NOWAIT);
	msgctl(q, IPC_RMID, NULL);
	printf("expected 5 of 11 bytes with MSG_COPY, as without it (%zd)\n", taken);
	printf("seen     %zd%s%s\n", copied, copied < 0 ? ", " : "", copied < 0 ? strerror(error) : "");
	return copied != 5;
}
