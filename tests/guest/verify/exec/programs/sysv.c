/* A parent and a child with one object of each kind; signals that end calls, and one that ends none. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t heard;

static void on_signal(int signo)
{
	(void)signo;
	heard++;
}

static int child(int shmid, int msqid, int semid)
{
	struct { long type; char text[16]; } message = { 5, "from the child" };
	struct sembuf up = { 1, 2, SEM_UNDO };
	char *seen = shmat(shmid, NULL, 0);

	printf("%s\n", seen);
	fflush(stdout);
	msgsnd(msqid, &message, sizeof(message.text), 0);
	semop(semid, &up, 1);
	kill(getppid(), SIGUSR1);
	return shmdt(seen);
}

int main(void)
{
	struct { long type; char text[16]; } message;
	struct sigaction action = { .sa_handler = on_signal };
	struct sembuf down = { 0, -1, 0 };
	int shmid = shmget(IPC_PRIVATE, 8192, 0600), msqid = msgget(IPC_PRIVATE, 0600);
	int semid = semget(IPC_PRIVATE, 3, 0600), status;
	char *shared = shmat(shmid, NULL, 0);

	strcpy(shared, "shared");
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	if (!fork())
		_exit(child(shmid, msqid, semid));
	while (msgrcv(msqid, &message, sizeof(message.text), 0, 0) < 0)
		;
	while (wait(&status) < 0)
		;
	printf("%s, %d, %d\n", message.text, WEXITSTATUS(status), semctl(semid, 1, GETVAL));
	alarm(1);
	printf("%d %s\n", semop(semid, &down, 1), errno == EINTR ? "EINTR" : "else");
	shmdt(shared);
	return shmctl(shmid, IPC_RMID, NULL) | msgctl(msqid, IPC_RMID, NULL) | semctl(semid, 0, IPC_RMID) | (heard != 2);
}
