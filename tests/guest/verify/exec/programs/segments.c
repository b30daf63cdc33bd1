/* Shared memory: where it is attached, how, and what is left of it. */
#include "check.h"
int main(void)
{
	struct shmid_ds ds;
	struct shm_info si;
	struct shminfo in;
	int id, ro, st;
	char *p, *q;
	pid_t c;
	E(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	E(shmget(77, 10, 0), ENOENT);
	T((id = shmget(77, 10000, IPC_CREAT | 0600)) >= 0);
	E(shmget(77, 20000, 0), EINVAL);
	T(shmget(77, 5000, 0) == id);
	T((p = shmat(id, 0, 0)) != (void *)-1);
	strcpy(p, "hello");
	T((q = shmat(id, 0, SHM_RDONLY)) != (void *)-1 && !strcmp(q, "hello"));
	E(shmat(id, p + 1, 0), EINVAL);
	E(shmat(-1, 0, 0), EINVAL);
	T(!shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 2 && ds.shm_segsz == 10000);
	if (!(c = fork())) {
		p[9999] = 'x';
		shmdt(p);
		_exit(strcmp(q, "hello"));
	}
	T(wait(&st) == c && !st && q[9999] == 'x');
	if (!(c = fork())) {
		q[0] = 1;
		_exit(0);
	}
	T(wait(&st) == c && WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	T(!shmdt(q));
	E(shmdt(q), EINVAL);
	T(!shmdt(p));
	T((p = shmat(id, p, 0)) != (void *)-1);
	T((q = shmat(id, p + 2000, SHM_RND)) == (void *)-1 || q);
	T((q = shmat(id, p, SHM_REMAP)) == p);
	T(!shmctl(id, SHM_LOCK, 0));
	T(!shmctl(id, IPC_STAT, &ds) && (ds.shm_perm.mode & SHM_LOCKED));
	T(!shmctl(id, SHM_UNLOCK, 0));
	T(!mprotect(p, 4096, PROT_READ));
	T(!munmap(p + 4096, 4096));
	T(!shmctl(id, IPC_STAT, &ds));
	printf("%ld\n", (long)ds.shm_nattch);
	T(shmctl(0, SHM_INFO, (void *)&si) >= 0 && si.used_ids == 1);
	T(shmctl(0, IPC_INFO, (void *)&in) >= 0);
	T(shmctl(0, SHM_STAT, &ds) == id);
	T(!shmctl(id, IPC_RMID, 0));
	T((ro = shmget(77, 10, IPC_CREAT | IPC_EXCL | 0400)) >= 0 && ro != id);
	T(!shmctl(id, IPC_STAT, &ds) && (ds.shm_perm.mode & SHM_DEST));
	T(!shmdt(p));
	T(!shmctl(ro, IPC_RMID, 0));
	if (!fork()) { if (setgid(1000) || setuid(1000)) _exit(9); errno = 0; _exit(shmget(IPC_PRIVATE, 4096, 0600) < 0); }
	wait(&st);
	T(st == 0);
	END;
}
