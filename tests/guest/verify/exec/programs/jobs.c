/* Job control: who may put whom into which process group, also when the group's leader has ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *said(int answer)
{
	return answer < 0 ? strerrorname_np(errno) : "0";
}

int main(int argc, char **argv)
{
	int gate[2], done[2], status;
	pid_t first, second, third;
	char byte;

	if (argc > 1)
		return pause(), argv == NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pipe(gate) || pipe(done))
		return 1;
	first = fork();
	if (!first)
		_exit(1);
	printf("child %s\n", said(setpgid(first, first)));
	usleep(20000);
	printf("ended %s\n", said(kill(first, 0)));
	printf("group %s\n", said(kill(-first, SIGTERM)));
	printf("thread %s\n", said(syscall(SYS_tgkill, first, first, SIGTERM)));
	second = fork();
	if (!second) {
		if (read(gate[0], &byte, 1) != 1)
			_exit(9);
		_exit(getpgrp() == first ? 2 : 8);
	}
	printf("joins %s\n", said(setpgid(second, first)));
	printf("back %s\n", said(setpgid(second, 0)));
	printf("again %s\n", said(setpgid(second, first)));
	if (write(gate[1], "x", 1) != 1)
		return 1;
	printf("first %d", waitpid(-first, &status, 0) == first);
	printf(" %d\n", WEXITSTATUS(status));
	printf("second %d", waitpid(-first, &status, 0) == second);
	printf(" %d\n", WEXITSTATUS(status));
	printf("gone %s\n", said(kill(-first, 0)));
	third = vfork();
	if (!third) {
		execl("/proc/self/exe", "again", "x", (char *)0);
		_exit(7);
	}
	printf("executed %s\n", said(setpgid(third, third)));
	printf("parent %s\n", said(setpgid(getppid(), 0)));
	printf("nobody %s\n", said(setpgid(third + 100, 0)));
	printf("strange %s\n", said(setpgid(0, third + 100)));
	printf("negative %s\n", said(setpgid(0, -1)));
	kill(third, SIGKILL);
	waitpid(third, &status, 0);
	if (!fork()) {
		printf("leads %d", setsid() == getpid());
		printf(" %s\n", said(setpgid(0, 0)));
		fflush(stdout);
		_exit(0);
	}
	return wait(&status) < 0;
}
