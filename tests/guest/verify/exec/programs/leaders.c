/* The first thread of a process ends before the others; another program is begun while threads live. */
#include "check.h"
#include <pthread.h>
#include <sys/syscall.h>
static int p[2], q[2];
static void *other(void *arg)
{
	char c;

	T(read(p[0], &c, 1) == 1);
	T(write(q[1], "x", 1) == 1);
	puts(bad ? "bad" : "ok");
	exit(bad ? 1 : 5);
}

static void *last(void *arg)
{
	char c;

	read(p[0], &c, 1);
	usleep(1000);
	return 0;
}

static void *spins(void *arg)
{
	for (;;)
		getppid();
}

static void *bears(void *arg)
{
	pid_t c = fork();

	if (!c) {
		usleep(20000);
		_exit(3);
	}
	return 0;
}

int main(void)
{
	pthread_t t;
	int st;
	pid_t c;

	T(pipe(p) == 0);
	T(pipe(q) == 0);
	if (!(c = fork())) {
		pthread_create(&t, 0, last, 0);
		pthread_exit(0);
	}
	usleep(10000);
	T(waitpid(c, &st, WNOHANG) == 0);
	T(kill(c, 0) == 0);
	write(p[1], "d", 1);
	T(waitpid(c, &st, 0) == c && WIFEXITED(st) && WEXITSTATUS(st) == 0);
	if (!(c = fork())) {
		pthread_create(&t, 0, last, 0);
		syscall(SYS_exit, 4);
	}
	usleep(10000);
	T(kill(c, SIGTERM) == 0);
	T(waitpid(c, &st, 0) == c && WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM);
	if (!(c = fork())) {
		pthread_create(&t, 0, last, 0);
		pthread_create(&t, 0, spins, 0);
		usleep(10000);
		execl("/usr/bin/cat", "cat", "/dev/null", (char *)0);
		_exit(9);
	}
	T(waitpid(c, &st, 0) == c && WIFEXITED(st) && WEXITSTATUS(st) == 0);
	if (!(c = fork())) {
		pthread_create(&t, 0, bears, 0);
		pthread_join(t, 0);
		T(wait(&st) > 0 && WEXITSTATUS(st) == 3);
		_exit(bad);
	}
	T(waitpid(c, &st, 0) == c && WIFEXITED(st) && WEXITSTATUS(st) == 0);
	pthread_create(&t, 0, other, 0);
	write(p[1], "c", 1);
	syscall(SYS_exit, 9);
}
