/* Parts of files: copied by the kernel, and in pipes while the program writes to its mapping of them. */
#include "check.h"

int main(void)
{
	int pipes[2], others[2], file = open("/tmp/file", O_RDWR | O_CREAT, 0600);
	int more = open("/tmp/file", O_WRONLY | O_APPEND);
	loff_t from = 0, to = 9000;
	char buf[100], *map;

	T(pipe(pipes) == 0 && pipe(others) == 0);
	T(write(file, "begin", 5) == 5);
	T(copy_file_range(file, &from, file, &to, 100, 0) == 5 && from == 5 && to == 9005);
	E(copy_file_range(file, &(loff_t){ 0 }, file, &(loff_t){ 2 }, 4, 0), EINVAL);
	E(copy_file_range(file, &(loff_t){ 0 }, more, NULL, 4, 0), EBADF);
	E(copy_file_range(pipes[0], NULL, file, NULL, 4, 0), EINVAL);
	E(copy_file_range(file, NULL, file, NULL, 4, 1), EINVAL);
	T(copy_file_range(file, &to, file, NULL, 4, 0) == 0);
	T(ftruncate(file, 16384) == 0);

	map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	memcpy(map, "BEGIN", 5);
	memcpy(map + 4096, "hole", 4);
	from = 0;
	T(splice(file, &from, pipes[1], NULL, 5, 0) == 5);
	T(tee(pipes[0], others[1], 5, 0) == 5);
	T(read(pipes[0], buf, 5) == 5 && !memcmp(buf, "BEGIN", 5));
	memcpy(map, "LATER", 5);
	T(read(others[0], buf, 5) == 5 && !memcmp(buf, "LATER", 5));
	from = 4096;
	T(splice(file, &from, pipes[1], NULL, 4, 0) == 4);
	map[4096] = 'm';
	T(read(pipes[0], buf, 4) == 4 && !memcmp(buf, "mole", 4));
	from = 12288;
	T(splice(file, &from, pipes[1], NULL, 4, 0) == 4);
	T(read(pipes[0], buf, 4) == 4 && !memcmp(buf, "\0\0\0", 4));
	unlink("/tmp/file");
	END;
}
