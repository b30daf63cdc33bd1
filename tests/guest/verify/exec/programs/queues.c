/* Message queues: every error, every way to receive, who sleeps, who may. */
#include "check.h"
struct { long type; char text[4096]; } m;
static void h(int s) { (void)s; }
int main(void)
{
	struct msqid_ds ds;
	struct msginfo mi;
	key_t key = ftok("/", 'm');
	int q, i, st;
	pid_t p;
	E(msgget(key, 0600), ENOENT);
	T((q = msgget(key, IPC_CREAT | IPC_EXCL | 0600)) >= 0);
	E(msgget(key, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	T(msgget(key, 0) == q);
	E(msgsnd(q, &m, 1, 0), EINVAL);
	m.type = 1;
	E(msgsnd(q, &m, 8193, 0), EINVAL);
	E(msgsnd(q, (void *)-1, 1, 0), EFAULT);
	E(msgsnd(-1, &m, 1, 0), EINVAL);
	for (i = 1; i < 6; i++) { m.type = i; memset(m.text, 'a' + i, 100 * i); T(!msgsnd(q, &m, 100 * i, IPC_NOWAIT)); }
	T(!msgctl(q, IPC_STAT, &ds) && ds.msg_qnum == 5 && ds.msg_lspid == getpid());
	E(msgrcv(q, &m, 10, 5, IPC_NOWAIT), E2BIG);
	T(msgrcv(q, &m, 10, 5, IPC_NOWAIT | MSG_NOERROR) == 10);
	T(msgrcv(q, &m, 4096, -3, 0) == 100 && m.type == 1);
	T(msgrcv(q, &m, 4096, 2, MSG_EXCEPT) == 300);
	T(msgrcv(q, &m, 4096, 0, MSG_COPY | IPC_NOWAIT) == 200);
	T(msgrcv(q, &m, 4096, 0, 0) == 200);
	E(msgrcv(q, &m, 4096, 7, IPC_NOWAIT), ENOMSG);
	ds.msg_qbytes = 4096;
	ds.msg_perm.mode = 0666;
	T(!msgctl(q, IPC_SET, &ds));
	T(msgrcv(q, &m, 4096, 0, 0) == 400);
	for (i = 0; !msgsnd(q, &m, 1000, IPC_NOWAIT); i++) m.type = i + 2;
	T(errno == EAGAIN && i == 4);
	signal(SIGUSR1, h);
	siginterrupt(SIGUSR1, 1);
	if (!(p = fork())) {
		errno = 0;
		int r = msgsnd(q, &m, 1000, 0);
		_exit(r == -1 && errno == EINTR ? 0 : 1);
	}
	/* It may not be there yet, and take the signal before. */
	while (!waitpid(p, &st, WNOHANG)) {
		kill(p, SIGUSR1);
		usleep(5000);
	}
	T(st == 0);
	if (!(p = fork())) {
		int r = msgsnd(q, &m, 1000, 0);
		_exit(r);
	}
	usleep(1000);
	T(msgrcv(q, &m, 4096, 0, 0) == 1000);
	T(wait(&st) == p && st == 0);
	if (!(p = fork())) {
		errno = 0;
		int r = msgrcv(q, &m, 100, 99, 0);
		_exit(r == -1 && (errno == EIDRM || errno == EINVAL) ? 0 : 2);
	}
	usleep(1000);
	T(msgctl(0, IPC_INFO, (void *)&mi) >= 0);
	T(msgctl(0, MSG_INFO, (void *)&mi) >= 0 && mi.msgpool == 1);
	T(msgctl(0, MSG_STAT, &ds) == q);
	T(!msgctl(q, IPC_RMID, 0));
	T(wait(&st) == p && st == 0);
	E(msgctl(q, IPC_STAT, &ds), EINVAL);
	if (!fork()) { setgid(65534); if (setuid(65534)) _exit(9); errno = 0; _exit(msgget(IPC_PRIVATE, 0600) < 0); }
	wait(&st);
	T(st == 0);
	q = 0;
	for (i = 0; i < 4; i++) if (!msgctl(i, MSG_STAT, &ds)) q++;
	END;
}
