/* Signals that come between calls: faults that kill, faults that are caught, a timer's; and what handlers leave behind. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t heard;

static void on_fault(int signo)
{
	siglongjmp(back, signo);
}

static void on_signal(int signo)
{
	heard = signo;
}

static void child_faults(void)
{
	int status;

	if (!fork())
		*(volatile int *)0 = 1;
	wait(&status);
	printf("%s\n", WTERMSIG(status) == SIGSEGV ? "SIGSEGV" : "else");
}

static void parent_ends(void)
{
	if (!fork()) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			pause();
		}
		usleep(20000);
		_exit(0);
	}
	wait(NULL);
}

int main(void)
{
	struct sigaction fault = { .sa_handler = on_fault }, once = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	struct sigaction old, plain = { .sa_handler = on_signal };
	sigset_t all;

	child_faults();
	sigaction(SIGSEGV, &fault, NULL);
	if (!sigsetjmp(back, 1))
		*(volatile int *)8 = 1;
	sigaction(SIGUSR1, &once, NULL);
	kill(getpid(), SIGUSR1);
	sigaction(SIGUSR1, NULL, &old);
	printf("%d %d\n", old.sa_handler == SIG_DFL, (old.sa_flags & SA_RESETHAND) != 0);
	sigaction(SIGALRM, &plain, NULL);
	alarm(1);
	while (heard != SIGALRM)
		;
	alarm(1);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	printf("%d\n", sigsuspend(&all));
	parent_ends();
	return 0;
}
