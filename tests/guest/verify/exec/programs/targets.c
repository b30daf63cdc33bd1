/* Who takes a signal to the process: a thread that sleeps and does not block it; the search goes on where it ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int pipes[3][2];
static int interrupted[3];

static void heard(int signo)
{
	(void)signo;
}

static void *reader(void *argument)
{
	intptr_t number = (intptr_t)argument;
	sigset_t all;
	char byte;

	if (number == 1) {
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, NULL);
	}
	while (read(pipes[number][0], &byte, 1) < 0 && errno == EINTR)
		interrupted[number]++;
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = heard};
	pthread_t threads[3];
	intptr_t number;
	int status;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
	for (number = 0; number < 3; number++)
		if (pipe(pipes[number]) || pthread_create(&threads[number], NULL, reader, (void *)number))
			return 1;
	usleep(20000);
	kill(getpid(), SIGUSR1);
	if (!fork()) {
		for (number = 0; number < 3; number++)
			kill(getppid(), SIGUSR1);
		_exit(3);
	}
	for (number = 0; number < 20; number++)
		getppid();
	while (wait(&status) < 0 && errno == EINTR)
		;
	for (number = 0; number < 3; number++) {
		if (write(pipes[number][1], "x", 1) != 1)
			return 1;
		pthread_join(threads[number], NULL);
		kill(getpid(), SIGUSR1);
	}
	printf("%d %d\n", WEXITSTATUS(status), interrupted[1]);
	return 0;
}
