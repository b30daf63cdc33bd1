/* Buffers that are only partly there, or may not be written; a call that begins with a signal waiting. */
#include "check.h"

static int got;

static void on_signal(int signo)
{
	got = signo;
}

int main(void)
{
	/* One page that is there, and one behind it that is not. */
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end = page + 4096;
	const char *text = "may not be written";
	struct iovec parts[2] = { { page, 10 }, { end - 4, 8 } };
	struct { long type; char text[16]; } *message = (void *)(end - 16);
	sigset_t set, none;
	int p[2], q, status;
	pid_t child;

	munmap(end, 4096);
	memset(page, 'a', 4096);
	T(!pipe2(p, O_NONBLOCK));
	E(write(p[1], end - 10, 20), EFAULT);
	T(read(p[0], page, 100) <= 0);
	T(write(p[1], page, 8192) == 4096);
	E(read(p[0], end - 5, 10), EFAULT);
	T(read(p[0], page, 4096) == 4096);
	writev(p[1], parts, 2);
	read(p[0], page, 100);
	T(write(p[1], "lost", 4) == 4);
	E(read(p[0], (void *)text, 4), EFAULT);
	E(fstat(p[0], (void *)text), EFAULT);
	E(pipe((void *)text), EFAULT);
	T(!ioctl(p[0], FIONREAD, &q) && q == 4);
	T((q = msgget(IPC_PRIVATE, 0600)) >= 0);
	message->type = 1;
	E(msgsnd(q, message, 9000, 0), EINVAL);
	E(msgsnd(q, message, 9, 0), EFAULT);
	message->type = -1;
	E(msgsnd(q, message, 9, 0), EINVAL);
	message->type = 3;
	T(!msgsnd(q, message, 8, 0));
	E(msgrcv(q, (void *)text, 8, 0, 0), EFAULT);
	T(!msgctl(q, IPC_RMID, NULL));
	E(semctl(semget(IPC_PRIVATE, 3, 0600), 0, GETALL, text), EFAULT);
	fcntl(p[0], F_SETFL, 0);
	signal(SIGUSR1, on_signal);
	siginterrupt(SIGUSR1, 1);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!(child = fork())) {
		char c;

		close(p[1]);
		read(p[0], page, 4);
		kill(getppid(), SIGUSR1);
		errno = 0;
		_exit(read(p[0], &c, 1));
	}
	E(sigsuspend(&none), EINTR);
	T(got == SIGUSR1);
	close(p[1]);
	T(wait(&status) == child && !status);
	END;
}
