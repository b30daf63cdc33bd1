/* A file that is written through its mapping, and read. */
#include "check.h"
int main(void)
{
	int f = open("/tmp/map", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2], st;
	char *m, b[100];
	pid_t c;
	struct stat s;
	T(!ftruncate(f, 8192));
	T((m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0)) != MAP_FAILED);
	strcpy(m + 10, "mapped");
	T(pread(f, b, 20, 10) == 20 && !strcmp(b, "mapped"));
	T(!msync(m, 8192, MS_SYNC));
	T(pwrite(f, "PW", 2, 10) == 2 && !memcmp(m + 10, "PWpped", 6));
	T(!pipe(p));

	if (!(c = fork())) {
		m[0] = 'c';
		_exit(0);
	}
	T(wait(&st) == c);
	T(pread(f, b, 1, 0) == 1 && b[0] == 'c');
	T(!munmap(m, 8192));
	T(pread(f, b, 10, 8) == 10);
	T(!fstat(f, &s) && s.st_size == 8192);
	close(f);
	f = open("/tmp/map", O_RDONLY);
	T(read(f, b, 20) == 20);
	T((m = mmap(0, 4096, PROT_READ, MAP_PRIVATE, f, 0)) != MAP_FAILED && m[10] == 'P');
	unlink("/tmp/map");
	f = memfd_create("x", MFD_ALLOW_SEALING);
	T(write(f, "12345678", 8) == 8);
	T((m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0)) != MAP_FAILED);
	m[0] = 'M';
	T(pread(f, b, 8, 0) == 8 && b[0] == 'M');
	E(fcntl(f, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	END;
}
