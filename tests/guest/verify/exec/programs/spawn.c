/* Programs begun in every way of the C library; a named semaphore, a socket with a name, memory that is shared. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void semaphore(void)
{
	sem_t *sem = sem_open("/of-a-test", O_CREAT, 0600, 0);

	if (!fork()) {
		sem_post(sem);
		_exit(0);
	}
	sem_wait(sem);
	wait(NULL);
	sem_unlink("/of-a-test");
}

static void named_socket(void)
{
	struct sockaddr_un name = { AF_UNIX, "/tmp/of-a-test" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), accepted;
	char text[16] = "";
	fd_set readable;

	bind(listener, (void *)&name, sizeof(name));
	listen(listener, 1);
	if (!fork()) {
		int client = socket(AF_UNIX, SOCK_STREAM, 0);

		connect(client, (void *)&name, sizeof(name));
		dprintf(client, "hello");
		_exit(0);
	}
	accepted = accept(listener, NULL, NULL);
	FD_ZERO(&readable);
	FD_SET(accepted, &readable);
	select(accepted + 1, &readable, NULL, NULL, NULL);
	read(accepted, text, sizeof(text) - 1);
	wait(NULL);
	unlink(name.sun_path);
	puts(text);
}

int main(void)
{
	char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memfd_create("of-a-test", 0), 0);
	FILE *upper;

	(void)shared;
	semaphore();
	named_socket();
	fflush(stdout);
	mkfifo("/tmp/fifo", 0600);
	system("echo through a fifo > /tmp/fifo & cat /tmp/fifo");
	upper = popen("tr a-z A-Z", "w");
	fputs("popen\n", upper);
	return pclose(upper) | unlink("/tmp/fifo");
}
