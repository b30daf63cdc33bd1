/* Room that is made for a file beforehand. */
#include "check.h"
int main(void)
{
	struct stat s;
	char b[20];
	int f = open("/tmp/fa", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2];
	T(!fallocate(f, 0, 100, 9000));
	T(!fstat(f, &s) && s.st_size == 9100);
	T(pread(f, b, 10, 5000) == 10 && !b[0]);
	T(!fallocate(f, 1, 0, 20000));
	T(!fstat(f, &s) && s.st_size == 9100 && s.st_blocks == 40);
	E(fallocate(f, 0, -1, 5), EINVAL);
	E(fallocate(f, 0, 0, 0), EINVAL);
	T(!pipe(p));
	E(fallocate(p[1], 0, 0, 5), ESPIPE);
	E(fallocate(p[0], 0, 0, 5), EBADF);
	close(f);
	f = open("/tmp/fa", O_RDONLY);
	E(fallocate(f, 0, 0, 5), EBADF);
	unlink("/tmp/fa");
	END;
}
