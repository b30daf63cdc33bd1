/* Tasks that signals stop, and that go on: asleep in a call, with threads, in an orphaned group, until SIGKILL. */
#include <pthread.h>

#include "check.h"

static int pipes[2];
static volatile int children;

static void on_child(int signo, siginfo_t *info, void *context)
{
	children = children * 10 + info->si_code;
}

static void *reading(void *arg)
{
	char c;

	return (void *)(long)read(pipes[0], &c, 1);
}

static int stopped(pid_t pid, int signo)
{
	int status;

	return waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == signo;
}

static pid_t forked(void (*body)(void))
{
	pid_t pid = fork();

	if (!pid) {
		body();
		_exit(7);
	}
	return pid;
}

static void reads(void)
{
	char c;

	if (read(pipes[0], &c, 1) != 1)
		_exit(1);
}

static void reads_with_threads(void)
{
	pthread_t thread;
	void *got;

	pthread_create(&thread, NULL, reading, NULL);
	raise(SIGSTOP);
	pthread_join(thread, &got);
	if ((long)got != 1)
		_exit(1);
}

static void stops_itself(void)
{
	setpgid(0, 0);
	raise(SIGTSTP);
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	raise(SIGSTOP);
}

static void in_no_group_of_others(void)
{
	setsid();
	raise(SIGTTIN); /* nobody could continue it */
}

static void for_ever(void)
{
	for (;;)
		pause();
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART };
	siginfo_t info = { 0 };
	int status;
	pid_t pid;

	T(pipe(pipes) == 0);
	T(sigaction(SIGCHLD, &action, NULL) == 0);
	pid = forked(reads);
	kill(pid, SIGSTOP);
	T(stopped(pid, SIGSTOP));
	T(waitpid(pid, &status, WNOHANG | WUNTRACED) == 0);
	T(write(pipes[1], "a", 1) == 1);
	T(waitpid(pid, &status, WNOHANG) == 0);
	kill(pid, SIGCONT);
	T(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	T(children == 561 || children == 51); /* stopped, continued, exited */

	pid = forked(reads_with_threads);
	T(stopped(pid, SIGSTOP));
	T(write(pipes[1], "b", 1) == 1);
	kill(pid, SIGCONT);
	T(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);

	pid = forked(stops_itself);
	T(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT) == 0 && info.si_status == SIGTSTP);
	T(waitid(P_PID, pid, &info, WSTOPPED) == 0 && info.si_code == CLD_STOPPED);
	kill(pid, SIGCONT);
	T(stopped(pid, SIGSTOP));
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	T(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);

	pid = forked(in_no_group_of_others);
	T(waitpid(pid, &status, WUNTRACED) == pid && WEXITSTATUS(status) == 7);

	action.sa_flags |= SA_NOCLDSTOP;
	T(sigaction(SIGCHLD, &action, NULL) == 0);
	children = 0;
	pid = forked(for_ever);
	kill(pid, SIGSTOP);
	T(stopped(pid, SIGSTOP) && children == 0);
	kill(pid, SIGKILL);
	T(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL && children == 2);
	END;
}
