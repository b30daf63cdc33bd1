/* Pipes and FIFOs: their size, their ends, packets, limits. */
#include "check.h"
static int got; static void h(int s) { got = s; }
int main(void)
{
	int p[2], i, n, st;
	char b[70000];
	struct stat s;
	pid_t c;
	struct iovec v[2] = { { "ab", 2 }, { "cd", 2 } };
	E(pipe((int *)-1), EFAULT);
	E(pipe2(p, -1), EINVAL);
	T(!pipe2(p, O_NONBLOCK | O_CLOEXEC));
	E(read(p[0], b, 1), EAGAIN);
	E(write(p[0], b, 1), EBADF);
	E(read(p[1], b, 1), EBADF);
	E(lseek(p[0], 0, SEEK_SET), ESPIPE);
	for (n = 0; (i = write(p[1], b, 4096)) > 0; n += i);
	T(n == 65536 && errno == EAGAIN);
	T(!ioctl(p[0], FIONREAD, &i) && i == 65536);
	T(fcntl(p[0], F_GETPIPE_SZ) == 65536);
	E(fcntl(p[0], F_SETPIPE_SZ, 4096), EBUSY);
	T(read(p[0], b, 70000) == 65536);
	T(fcntl(p[0], F_SETPIPE_SZ, 10000) == 16384);
	T(write(p[1], b, 16384) == 16384);
	T(read(p[0], b, 5000) == 5000);
	T(write(p[1], b, 5000) == 4096);
	T(fstat(p[0], &s) == 0 && S_ISFIFO(s.st_mode));
	close(p[0]);
	signal(SIGPIPE, h);
	E(write(p[1], b, 1), EPIPE);
	T(got == SIGPIPE);
	close(p[1]);
	T(!pipe(p));
	T(writev(p[1], v, 2) == 4);
	T(read(p[0], b, 3) == 3 && !memcmp(b, "abc", 3));
	close(p[1]);
	T(read(p[0], b, 3) == 1);
	T(read(p[0], b, 3) == 0);
	close(p[0]);
	T(!pipe2(p, O_DIRECT));
	T(write(p[1], "12345", 5) == 5 && write(p[1], "678", 3) == 3 && read(p[0], b, 2) == 2 && read(p[0], b, 9) == 3);
	close(p[0]);
	close(p[1]);
	T(!pipe(p));
	if (!(c = fork())) {
		close(p[0]);
		for (i = 0; i < 20; i++) write(p[1], b, 10000);
		_exit(0);
	}
	close(p[1]);
	for (n = 0; (i = read(p[0], b, 7777)) > 0; n += i);
	T(n == 200000);
	T(wait(&st) == c && !st);
	close(p[0]);
	T(!mkfifo("/tmp/ff", 0666));
	E(mkfifo("/tmp/ff", 0666), EEXIST);
	E(open("/tmp/ff", O_WRONLY | O_NONBLOCK), ENXIO);
	T((i = open("/tmp/ff", O_RDONLY | O_NONBLOCK)) >= 0);
	T(read(i, b, 1) == 0);
	if (!(c = fork())) {
		int w = open("/tmp/ff", O_WRONLY);
		write(w, "fifo", 4);
		_exit(0);
	}
	T(wait(&st) == c && !st);
	T(read(i, b, 10) == 4);
	close(i);
	T((i = open("/tmp/ff", O_RDWR)) >= 0);
	close(i);
	T(!unlink("/tmp/ff"));
	struct rlimit r = { 8, 8 };
	T(!setrlimit(RLIMIT_NOFILE, &r));
	for (n = 0; !pipe(p); n++);
	T(errno == EMFILE);
	printf("%d\n", n);
	END;
}
