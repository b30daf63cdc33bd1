/* Files in memory whose holes a program touches where it maps them: blocks that nobody asked for. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static long blocks(int fd)
{
	struct stat found;

	return fstat(fd, &found) ? -1 : (long)found.st_blocks;
}

int main(void)
{
	int anonymous = memfd_create("anonymous", 0), named = open("/tmp/named", O_RDWR | O_CREAT, 0600);
	volatile char *written, *seen;

	if (ftruncate(anonymous, 3 * 4096) || ftruncate(named, 2 * 4096))
		return 1;
	printf("%ld %ld\n", blocks(anonymous), blocks(named));
	written = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, anonymous, 0);
	written[4096] = 7;
	seen = mmap(NULL, 2 * 4096, PROT_READ, MAP_PRIVATE, named, 0);
	printf("%ld %ld %d\n", blocks(anonymous), blocks(named), seen[0]);
	printf("%ld\n", blocks(named));
	if (ftruncate(anonymous, 4096) || ftruncate(named, 0))
		return 1;
	printf("%ld %ld\n", blocks(anonymous), blocks(named));
	return 0;
}
