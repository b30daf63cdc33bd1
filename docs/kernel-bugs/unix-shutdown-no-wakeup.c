/*
 * shutdown(SHUT_RD) on an AF_UNIX socket does not wake those who wait for space in its queue.
 *
 * A send() or connect() that starts then fails at once; one that sleeps goes on sleeping.
 *
 * cc unix-shutdown-no-wakeup.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0ktrace-shutdown"};
#define NAME (const struct sockaddr *)&name, offsetof(struct sockaddr_un, sun_path) + 16

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Fill the receiver's queue or the listener's backlog, let a child sleep for space (2 s at most), shut down after 0.2 s:
 * milliseconds from then until the child goes on, -1 on error. *error is what its call fails with.
 */
static long try(int type, int *error)
{
	struct timeval limit = {.tv_sec = 2};
	int to = socket(AF_UNIX, type, 0), from, report[2], status, result[1];
	long shut, woken;

	if (bind(to, NAME) || (type == SOCK_STREAM && listen(to, 0)) || pipe(report))
		return -1;
	do {
		from = socket(AF_UNIX, type, 0);
		fcntl(from, F_SETFL, O_NONBLOCK);
		status = connect(from, NAME);
		while (type == SOCK_DGRAM && status == 0)
			status = send(from, "x", 1, 0) == 1 ? 0 : -1;
	} while (status == 0);
	if (errno != EAGAIN)
		return -1;
	if (fork() == 0) {
		fcntl(from, F_SETFL, 0);
		setsockopt(from, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		status = type == SOCK_DGRAM ? (int)send(from, "x", 1, MSG_NOSIGNAL) : connect(from, NAME);
		result[0] = status < 0 ? errno : 0;
		_exit(write(report[1], result, sizeof(result)) != sizeof(result));
	}
	usleep(200000);
	shut = now();
	shutdown(to, SHUT_RD);
	if (read(report[0], result, sizeof(result)) != sizeof(result))
		return -1;
	woken = now();
	wait(&status);
	close(to);
	*error = result[0];
	return woken - shut;
}

int main(void)
{
	int sent, connected;
	long sender = try(SOCK_DGRAM, &sent), connector = try(SOCK_STREAM, &connected);

	if (sender < 0 || connector < 0) {
		perror("AF_UNIX");
		return 2;
	}
	printf("expected send() to fail with %s, connect() with %s, at once\n", strerror(EPIPE), strerror(ECONNREFUSED));
	printf("seen     send(): %s after %ld ms, connect(): %s after %ld ms (SO_SNDTIMEO is 2 s)\n", strerror(sent), sender,
	       strerror(connected), connector);
	return sender > 1000 || connector > 1000;
}
