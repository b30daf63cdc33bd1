/* /init: prepares the guest and starts /agent.
 *
 * It stays process 1, so that the agent's end becomes one clear line on the
 * console, and then restarts the machine (QEMU runs with -no-reboot).
 */
#include <asm/signal.h>
#include <linux/reboot.h>
#include <linux/sockios.h>

#include "init.h"
#include "start.h"

#define ADDR_NO_RANDOMIZE 0x0040000
#define IFF_UP 1

struct ifreq {
	char name[16];
	short flags;
	char rest[22];
};

struct mount {
	const char *source, *target, *type, *options;
	int optional;
};

static const struct mount mounts[] = {
	{ "proc", "/proc", "proc", NULL, 0 },
	{ "sysfs", "/sys", "sysfs", NULL, 0 },
	{ "tmpfs", "/tmp", "tmpfs", "mode=1777", 0 },
	{ "tmpfs", "/run", "tmpfs", "mode=755", 0 },
	{ "tmpfs", "/dev/shm", "tmpfs", "mode=1777", 0 },
	{ "tracefs", "/sys/kernel/tracing", "tracefs", NULL, 1 },
	{ "debugfs", "/sys/kernel/debug", "debugfs", NULL, 1 },
	{ "configfs", "/sys/kernel/config", "configfs", NULL, 1 },
};

static const struct {
	const char *path;
	unsigned mode, major, minor;
} nodes[] = {
	{ "/dev/console", 0600, 5, 1 }, { "/dev/null", 0666, 1, 3 },   { "/dev/zero", 0666, 1, 5 },
	{ "/dev/full", 0666, 1, 7 },	{ "/dev/random", 0666, 1, 8 }, { "/dev/urandom", 0666, 1, 9 },
	{ "/dev/kmsg", 0644, 1, 11 },	{ "/dev/tty", 0666, 5, 0 },
};

void report(const char *what, long ret)
{
	if (ret < 0)
		say(WHO, what, -ret, "");
}

static void make_devices(void)
{
	int had_console;
	long fd;

	sys2(__NR_mkdir, "/dev", 0755);
	had_console = sys3(__NR_fcntl, 2, 1 /* F_GETFD */, 0) >= 0;
	sys6(__NR_mount, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, 0, 0);
	for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		sys3(__NR_mknod, nodes[i].path, S_IFCHR | nodes[i].mode,
		     nodes[i].major << 8 | nodes[i].minor);
		sys2(__NR_chmod, nodes[i].path, nodes[i].mode);
	}
	if (had_console)
		return;
	fd = sys4(__NR_openat, AT_FDCWD, "/dev/console", O_RDWR, 0);
	for (int wanted = 0; fd >= 0 && wanted < 3; wanted++)
		if (fd != wanted)
			sys2(__NR_dup2, fd, wanted);
}

/* Nothing here ever gathers entropy: who reads /dev/urandom would spin for it at a real-time priority. */
static void seed_random(void)
{
	struct {
		int32_t bits, bytes;
		uint32_t pool[8];
	} entropy = { 256, 32, { 1, 2, 3, 4, 5, 6, 7, 8 } };
	long fd = sys4(__NR_openat, AT_FDCWD, "/dev/urandom", O_WRONLY, 0);

	if (fd < 0)
		return;
	sys3(__NR_ioctl, fd, 0x40085203 /* RNDADDENTROPY */, &entropy);
	sys1(__NR_close, fd);
}

static void make_mounts(void)
{
	for (unsigned i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		const struct mount *m = &mounts[i];
		long ret;

		sys2(__NR_mkdir, m->target, 0755);
		ret = sys6(__NR_mount, (long)m->source, (long)m->target, (long)m->type, 0,
			   (long)m->options, 0);
		if (ret < 0 && !m->optional) {
			say(WHO, m->target, 0, NULL);
			report("  cannot be mounted, errno ", ret);
		}
	}
	sys2(__NR_symlink, "/proc/self/fd", "/dev/fd");
}

/* Bring lo up; the kernel gives it 127.0.0.1 and ::1 by itself. */
static void loopback_up(void)
{
	struct ifreq request = { .name = "lo" };
	long fd = sys3(__NR_socket, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		fd = sys3(__NR_socket, AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0)
		return; /* a kernel without sockets has no loopback either */
	sys3(__NR_ioctl, fd, SIOCGIFFLAGS, &request);
	request.flags |= IFF_UP;
	report("loopback stays down, errno ", sys3(__NR_ioctl, fd, SIOCSIFFLAGS, &request));
	sys1(__NR_close, fd);
}

static int start_agent(char **argv)
{
	static char *const envp[] = { "HOME=/", "PATH=/bin:/sbin:/usr/bin:/usr/sbin", "TERM=linux", NULL };
	long ret;

	while (argv[1] && argv[1][0] != '-')
		argv++; /* a word for the kernel that this kernel did not know, such as nokaslr */
	argv[0] = "/agent";
	ret = sys3(__NR_execve, "/agent", argv, envp);
	report("cannot start /agent, errno ", ret);
	return 127;
}

static void tell_end(int status)
{
	if (status & 0x7f)
		say(WHO, "agent ended: signal ", status & 0x7f, "");
	else
		say(WHO, "agent ended: status ", status >> 8 & 0xff, "");
}

int main(int argc, char **argv, char **envp)
{
	long agent;

	(void)argc;
	(void)envp;
	make_devices();
	say(WHO, "hello", 0, NULL);
	load_modules();
	make_mounts();
	seed_random();
	loopback_up();
	acknowledge_at_once();
	report("kernel.sched_rt_runtime_us not set, errno ",
	       spill("/proc/sys/kernel/sched_rt_runtime_us", "-1"));
	/* Who waits for a grace period waits for kernel threads then, and not for their timers. */
	report("rcu_expedited not set, errno ", spill("/sys/kernel/rcu_expedited", "1"));
	sys2(__NR_sethostname, "ktrace", 6);
	sys1(__NR_personality, ADDR_NO_RANDOMIZE); /* every actor sees the same addresses */
	agent = sys6(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0);
	if (agent == 0)
		return start_agent(argv);
	report("cannot fork, errno ", agent);
	while (agent > 0) {
		int status = 0;
		long pid = sys4(__NR_wait4, -1, &status, 0, 0);

		if (pid == agent) {
			tell_end(status);
			break;
		}
		if (pid < 0 && pid != -EINTR)
			break;
	}
	sys0(__NR_sync);
	sys4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, 0);
	for (;;)
		nap_ns(1000000000);
}
