/* Timers that send signals, and sleeps. */
#include "check.h"
static volatile int n, m, q; static void h(int s) { if (s == SIGALRM) n++; else if (s == SIGUSR2) q++; else m++; }
int main(void)
{
	struct sigaction sa = { .sa_handler = h };
	struct itimerval iv = { { 0, 0 }, { 0, 60000 } };
	timer_t t;
	struct sigevent se = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec its = { { 0, 0 }, { 0, 60000000 } }, cur;
	int p[2];
	char c;
	sigaction(SIGALRM, &sa, 0);
	sigaction(SIGVTALRM, &sa, 0);
	sigaction(SIGUSR2, &sa, 0);
	T(!pipe(p));
	T(!setitimer(ITIMER_REAL, &iv, 0));
	E(read(p[0], &c, 1), EINTR);
	T(n == 1);
	T(!setitimer(ITIMER_VIRTUAL, &iv, 0));
	while (!m);
	T(m == 1);
	T(!timer_create(CLOCK_MONOTONIC, &se, &t));
	T(!timer_settime(t, 0, &its, 0));
	E(pause(), EINTR);
	T(q == 1);
	its.it_interval.tv_nsec = 40000000;
	T(!timer_settime(t, 0, &its, 0));
	while (q < 3) pause();
	its.it_value.tv_nsec = 0;
	T(!timer_settime(t, 0, &its, &cur));
	T(!timer_gettime(t, &cur));
	T(!timer_delete(t));
	E(timer_delete(t), EINVAL);
	alarm(1);
	T(alarm(0) == 1);
	struct timespec ts = { 0, 2000000 };
	T(!nanosleep(&ts, 0));
	T(!clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, 0));
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 3000000;
	if (ts.tv_nsec >= 1000000000) { ts.tv_nsec -= 1000000000; ts.tv_sec++; }
	T(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, 0));
	END;
}
