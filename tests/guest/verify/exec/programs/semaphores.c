/* Semaphore sets: every error, undo, who sleeps for what. */
#include "check.h"
union semun { int val; struct semid_ds *buf; unsigned short *array; struct seminfo *info; };
static void h(int s) { (void)s; }
int main(void)
{
	struct semid_ds ds;
	unsigned short a[4] = { 1, 2, 3, 4 }, b[4];
	struct seminfo si;
	struct timespec ts = { 0, 3000000 };
	struct sembuf one = { 0, -1, 0 }, undo = { 1, 2, SEM_UNDO }, many[3] = { { 0, -1, 0 }, { 1, -1, 0 }, { 2, 0, IPC_NOWAIT } };
	int s, st;
	pid_t p;
	union semun u;
	T((s = semget(IPC_PRIVATE, 4, 0600)) >= 0);
	E(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	E(semget(1234, 2, 0), ENOENT);
	u.array = a;
	T(!semctl(s, 0, SETALL, u));
	u.array = b;
	T(!semctl(s, 0, GETALL, u) && !memcmp(a, b, sizeof(a)));
	T(semctl(s, 2, GETVAL) == 3);
	u.val = 70000;
	E(semctl(s, 0, SETVAL, u), ERANGE);
	u.val = 0;
	T(!semctl(s, 0, SETVAL, u));
	E(semctl(s, 4, GETVAL), EINVAL);
	one.sem_flg = IPC_NOWAIT;
	E(semop(s, &one, 1), EAGAIN);
	one.sem_num = 9;
	E(semop(s, &one, 1), EFBIG);
	one.sem_num = 0;
	E(semop(s, &one, 0), EINVAL);
	E(semop(s, &one, 501), E2BIG);
	E(semop(s, (void *)-1, 1), EFAULT);
	one.sem_flg = 0;
	E(semtimedop(s, &one, 1, &ts), EAGAIN);
	T(!semop(s, &undo, 1));
	T(semctl(s, 1, GETVAL) == 4);
	if (!(p = fork())) {
		undo.sem_num = 3;
		semop(s, &undo, 1);
		_exit(semctl(s, 3, GETVAL) != 6);
	}
	T(wait(&st) == p && !st && semctl(s, 3, GETVAL) == 4);
	T(semctl(s, 1, GETPID) == getpid());
	many[0].sem_flg = IPC_NOWAIT;
	E(semop(s, many, 3), EAGAIN);
	many[0].sem_flg = 0;
	if (!(p = fork())) {
		many[2].sem_op = -1;
		many[2].sem_flg = 0;
		_exit(semop(s, many, 3) != 0);
	}
	while (semctl(s, 0, GETNCNT) != 1);
	T(semctl(s, 0, GETZCNT) == 0);
	one.sem_op = 1;
	T(!semop(s, &one, 1));
	T(wait(&st) == p && !st);
	T(semctl(s, 2, GETVAL) == 2);
	if (!(p = fork())) {
		struct sembuf z = { 2, 0, 0 };
		_exit(semop(s, &z, 1) != 0);
	}
	while (semctl(s, 2, GETZCNT) != 1);
	u.val = 0;
	T(!semctl(s, 2, SETVAL, u));
	T(wait(&st) == p && !st);
	signal(SIGUSR1, h);
	if (!(p = fork())) {
		struct sembuf z = { 2, -1, 0 };
		errno = 0;
		_exit(!(semop(s, &z, 1) == -1 && errno == EINTR));
	}
	while (semctl(s, 2, GETNCNT) != 1);
	kill(p, SIGUSR1);
	T(wait(&st) == p && !st);
	if (!(p = fork())) {
		struct sembuf z = { 2, -1, SEM_UNDO };
		errno = 0;
		_exit(!(semop(s, &z, 1) == -1 && (errno == EIDRM || errno == EINVAL)));
	}
	usleep(1000);
	u.buf = &ds;
	T(!semctl(s, 0, IPC_STAT, u) && ds.sem_nsems == 4);
	ds.sem_perm.mode = 0640;
	T(!semctl(s, 0, IPC_SET, u));
	u.info = &si;
	T(semctl(0, 0, SEM_INFO, u) >= 0 && si.semusz == 1);
	T(semctl(0, 0, IPC_INFO, u) >= 0);
	T(!semctl(s, 0, IPC_RMID));
	T(wait(&st) == p && !st);
	E(semop(s, &one, 1), EINVAL);
	END;
}
