/* What is waited for: epoll, poll, select, eventfd, timerfd, signalfd, signals that are taken by number. */
#include "check.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/signalfd.h>
int main(void)
{
	int p[2], e, ev, tf, sf, n, st;
	struct epoll_event x = { EPOLLIN, { .fd = 7 } }, out[4];
	struct pollfd f;
	fd_set r;
	struct timeval tv = { 0, 3000 };
	uint64_t u = 3;
	struct itimerspec its = { { 0, 0 }, { 0, 2000000 } };
	sigset_t set;
	struct signalfd_siginfo si;
	pid_t c;
	char b[10];
	T(!pipe(p));
	T((e = epoll_create1(0)) >= 0);
	T(!epoll_ctl(e, EPOLL_CTL_ADD, p[0], &x));
	E(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &x), EEXIST);
	T(epoll_wait(e, out, 4, 3) == 0);
	T(write(p[1], "x", 1) == 1);
	T(epoll_wait(e, out, 4, -1) == 1 && out[0].data.fd == 7);
	x.events = EPOLLIN | EPOLLET;
	T(!epoll_ctl(e, EPOLL_CTL_MOD, p[0], &x));
	T(epoll_wait(e, out, 4, 0) == 1);
	T(epoll_wait(e, out, 4, 0) == 0);
	f.fd = p[0];
	f.events = POLLIN;
	T(poll(&f, 1, 1000) == 1);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	T(select(p[0] + 1, &r, 0, 0, &tv) == 1);
	read(p[0], b, 10);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	T(select(p[0] + 1, &r, 0, 0, &tv) == 0);
	T(poll(&f, 1, 2) == 0);
	T((ev = eventfd(0, EFD_NONBLOCK)) >= 0);
	E(read(ev, &u, 8), EAGAIN);
	u = 3;
	T(write(ev, &u, 8) == 8);
	T(read(ev, &u, 8) == 8 && u == 3);
	T((tf = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
	T(!timerfd_settime(tf, 0, &its, 0));
	T(read(tf, &u, 8) == 8 && u == 1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	T(!sigprocmask(SIG_BLOCK, &set, 0));
	T((sf = signalfd(-1, &set, SFD_NONBLOCK)) >= 0);
	E(read(sf, &si, sizeof(si)), EAGAIN);
	kill(getpid(), SIGUSR1);
	T(read(sf, &si, sizeof(si)) == sizeof(si) && si.ssi_signo == SIGUSR1 && (int)si.ssi_pid == getpid());
	if (!(c = fork())) {
		usleep(2000);
		_exit(3);
	}
	f.fd = sf;
	T(poll(&f, 1, -1) == 1);
	T(read(sf, &si, sizeof(si)) == sizeof(si) && si.ssi_signo == SIGCHLD && si.ssi_status == 3);
	T(wait(&st) == c);
	struct timespec ts = { 0, 3000000 };
	siginfo_t in;
	E(sigtimedwait(&set, &in, &ts), EAGAIN);
	kill(getpid(), SIGUSR1);
	T(sigtimedwait(&set, &in, &ts) == SIGUSR1 && in.si_pid == getpid());
	union sigval sv = { 42 };
	T(!sigqueue(getpid(), SIGUSR1, sv));
	T(sigwaitinfo(&set, &in) == SIGUSR1 && in.si_value.sival_int == 42);
	if (!(c = fork())) {
		usleep(2000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	T(sigwait(&set, &n) == 0);
	wait(0);
	n = 0;
	END;
}
