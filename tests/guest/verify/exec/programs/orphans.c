/* Who takes over orphans; processes by their descriptors. */
#include "check.h"
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sched.h>
#include <linux/sched.h>
int main(void)
{
	int st, pfd = -1;
	pid_t c;
	siginfo_t si;
	struct pollfd f;
	T(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	if (!(c = fork())) {
		if (!fork()) { usleep(3000); _exit(getppid() == 1 ? 1 : 4); } _exit(0);
	}
	T(waitpid(c, &st, 0) == c && !st);
	T(wait(&st) > 0 && WEXITSTATUS(st) == 4);
	struct clone_args a = { .flags = CLONE_PIDFD, .pidfd = (unsigned long)&pfd, .exit_signal = SIGCHLD };
	c = syscall(SYS_clone3, &a, sizeof(a));
	if (!c) { usleep(2000); _exit(8); }
	T(c > 0 && pfd >= 0);
	f.fd = pfd;
	f.events = POLLIN;
	T(poll(&f, 1, -1) == 1);
	T(!waitid(P_PIDFD, pfd, &si, WEXITED) && si.si_status == 8);
	close(pfd);
	if (!(c = fork())) {
		pause();
		_exit(0);
	}
	T((pfd = syscall(SYS_pidfd_open, c, 0)) >= 0);
	T(!syscall(SYS_pidfd_send_signal, pfd, SIGKILL, 0, 0));
	T(!waitid(P_PIDFD, pfd, &si, WEXITED) && si.si_code == CLD_KILLED);
	END;
}
