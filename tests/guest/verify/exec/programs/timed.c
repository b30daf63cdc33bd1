/* A signal ends a call with a timeout, while the sleeps of others end on their own in the same steps. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static void heard(int signo)
{
	(void)signo;
}

static void *dozes(void *unused)
{
	int times;

	for (times = 0; times < 60; times++)
		usleep(1500);
	return unused;
}

int main(void)
{
	struct sigaction action = {.sa_handler = heard};
	struct epoll_event event;
	int ready[2], status;
	pthread_t thread;
	pid_t child;
	char byte;

	if (pipe(ready))
		return 1;
	child = fork();
	if (!child) {
		int set = epoll_create1(0), answer;

		sigaction(SIGTERM, &action, NULL);
		pthread_create(&thread, NULL, dozes, NULL);
		if (write(ready[1], "x", 1) != 1)
			return 1;
		answer = epoll_wait(set, &event, 1, 900);
		_exit(answer < 0 && errno == EINTR ? 4 : 5);
	}
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	usleep(30000);
	kill(child, SIGTERM);
	wait(&status);
	printf("%d\n", WEXITSTATUS(status));
	return 0;
}
