/* Whose a semaphore's last change is, who shares what is to be undone, and whom F_SETSIG tells of what. */
#include "check.h"
#include <pthread.h>
#include <sched.h>

static int set, told;
static char stack[65536];

static int add_one(void *arg)
{
	struct sembuf one = { 0, 1, SEM_UNDO };

	return semop(set, &one, 1);
}

static void *in_thread(void *arg)
{
	return (void *)(long)add_one(arg);
}

static void on_input(int signo, siginfo_t *info, void *context)
{
	told = info->si_fd;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_input, .sa_flags = SA_SIGINFO };
	struct sembuf less = { 0, -1, SEM_UNDO };
	struct f_owner_ex owner;
	pthread_t thread;
	int pipes[2];
	void *got;

	set = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, &got);
	T(!got && semctl(set, 0, GETVAL) == 1 && semctl(set, 0, GETPID) == getpid());
	T(semop(set, &less, 1) == 0);
	T(waitpid(clone(add_one, stack + sizeof(stack), CLONE_SYSVSEM | SIGCHLD, NULL), NULL, 0) > 0);
	T(semctl(set, 0, GETVAL) == 1);
	T(waitpid(clone(add_one, stack + sizeof(stack), SIGCHLD, NULL), NULL, 0) > 0);
	T(semctl(set, 0, GETVAL) == 1);
	T(unshare(CLONE_SYSVSEM) == 0);
	T(semctl(set, 0, GETVAL) == 0);
	T(semctl(set, 0, IPC_RMID) == 0);

	T(pipe(pipes) == 0 && sigaction(SIGRTMIN, &action, NULL) == 0);
	T(fcntl(pipes[0], F_SETOWN, getpid()) == 0 && fcntl(pipes[0], F_SETSIG, SIGRTMIN) == 0);
	T(fcntl(pipes[0], F_SETFL, O_ASYNC) == 0 && fcntl(pipes[0], F_GETOWN_EX, &owner) == 0);
	T(write(pipes[1], "x", 1) == 1);
	T(told == pipes[0] && owner.pid == getpid());
	END;
}
