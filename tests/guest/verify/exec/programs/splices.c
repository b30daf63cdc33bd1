/* Pages on their way between files, pipes and a program's own memory. */
#include "check.h"
int main(void)
{
	int a[2], b[2], f, i, st;
	char buf[70000];
	loff_t off = 5;
	struct iovec v = { "vmsplice", 8 };
	pid_t c;
	T(!pipe(a) && !pipe(b));
	T((f = open("/tmp/file", O_RDWR | O_CREAT | O_TRUNC, 0600)) >= 0);
	for (i = 0; i < 5000; i++) buf[i] = 'a' + i % 26;
	T(write(f, buf, 5000) == 5000);
	E(splice(f, 0, f, 0, 10, 0), EINVAL);
	E(splice(a[0], &off, b[1], 0, 10, 0), ESPIPE);
	E(splice(-1, 0, b[1], 0, 10, 0), EBADF);
	T(splice(f, &off, a[1], 0, 4990, 0) == 4990 && off == 4995);
	T(tee(a[0], b[1], 5000, 0) == 4990);
	E(tee(a[0], a[1], 10, 0), EINVAL);
	E(tee(f, b[1], 10, 0), EINVAL);
	T(read(b[0], buf, 70000) == 4990 && buf[0] == 'f');
	T(splice(a[0], 0, b[1], 0, 100, SPLICE_F_MOVE) == 100);
	T(read(b[0], buf, 200) == 100);
	off = 6000;
	T(splice(a[0], 0, f, &off, 4890, 0) == 4890);
	T(lseek(f, 0, SEEK_END) == 10890);
	E(splice(a[0], 0, b[1], 0, 1, SPLICE_F_NONBLOCK), EAGAIN);
	T(vmsplice(a[1], &v, 1, 0) == 8);
	T(read(a[0], buf, 100) == 8 && !memcmp(buf, "vmsplice", 8));
	T(write(a[1], "to user", 7) == 7);
	v.iov_base = buf;
	v.iov_len = 100;
	T(vmsplice(a[0], &v, 1, 0) == 7 && !memcmp(buf, "to user", 7));
	v.iov_base = (void *)-1;
	E(vmsplice(a[1], &v, 1, 0), EFAULT);
	if (!(c = fork())) {
		close(b[1]);
		i = splice(b[0], 0, a[1], 0, 100, 0);
		_exit(i != 6);
	}
	usleep(1000);
	T(write(b[1], "sleepy", 6) == 6);
	T(wait(&st) == c && !st);
	T(read(a[0], buf, 100) == 6);
	int z = open("/dev/zero", O_RDONLY), nul = open("/dev/null", O_WRONLY);
	T((i = splice(z, 0, a[1], 0, 4096, 0)) == 4096 || i == -1);
	if (i > 0) T(splice(a[0], 0, nul, 0, 4096, 0) == 4096);
	lseek(f, 0, SEEK_SET);
	T(sendfile(a[1], f, 0, 300) == 300);
	T(read(a[0], buf, 1000) == 300);
	off = 0;
	int g = open("/tmp/copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
	T(sendfile(g, f, &off, 2000) == 2000 && off == 2000);
	unlink("/tmp/file");
	unlink("/tmp/copy");
	END;
}
