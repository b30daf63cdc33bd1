/*
 * fs.pipe-max-size takes a number of 2^32 and more, and keeps its low 32 bits: 4294967296 makes it 4096.
 *
 * cc pipe-max-size-wraps.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried (not root)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE "/proc/sys/fs/pipe-max-size"

/* Write text to a file of /proc/sys: 0 or the error. */
static int set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

static void get(const char *path, char text[32])
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, 31);

	text[n > 0 ? n - 1 : 0] = 0;
	close(fd);
}

int main(void)
{
	char before[32], after[32];
	int error, neighbour;

	get(SIZE, before);
	if ((error = set(SIZE, before))) {
		printf("%s cannot be written: %s\n", SIZE, strerror(error));
		return 2;
	}
	error = set(SIZE, "4294967296");
	get(SIZE, after);
	set(SIZE, before);
	neighbour = set("/proc/sys/kernel/msgmax", "4294967296");
	printf("expected 4294967296: %s, as for kernel.msgmax (%s); still %s\n", strerror(EINVAL), strerror(neighbour),
	       before);
	printf("seen     4294967296: %s; %s\n", error ? strerror(error) : "taken", after);
	return error != EINVAL || strcmp(before, after) != 0;
}
