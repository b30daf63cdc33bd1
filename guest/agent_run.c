/* One command at a time outside the actors, for `ktrace exec`.
 *
 * Its input and output are files that the host names, or pipes (agent_stream.c); it leads a session and
 * process group of its own, runs at ordinary priority, and nothing of the
 * group outlives it.
 */
#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/sched.h>

#include "agent_ops.h"

#define MAX_STRINGS 1024
#define FILES 4 /* working directory, stdin, stdout, stderr come before argv */

static int run_pid;
static int run_status;
static int run_state;

static struct {
	const char *strings[FILES + MAX_STRINGS + 2]; /* files, argv, NULL, envp, NULL */
	unsigned argc;
	long error; /* of the child, before its execve */
} order;

static uint8_t child_stack[16384] __attribute__((aligned(16)));

static long onto(long fd, int wanted)
{
	long ret = fd;

	if (fd < 0 || fd == wanted)
		return fd;
	ret = sys2(__NR_dup2, fd, wanted);
	sys1(__NR_close, fd);
	return ret;
}

/* No name: pipes. */
static int has_pipes(void)
{
	return !order.strings[1][0];
}

static long open_streams(void)
{
	const int create = O_WRONLY | O_CREAT | O_APPEND;
	long ret;

	if (has_pipes())
		return stream_give();
	sys3(__NR_close_range, 0, ~0u, 0);
	ret = sys4(__NR_openat, AT_FDCWD, order.strings[1], O_RDONLY, 0);

	ret = onto(ret, 0);
	if (ret >= 0)
		ret = onto(sys4(__NR_openat, AT_FDCWD, order.strings[2], create, 0600), 1);
	if (ret >= 0 && str_eq(order.strings[2], order.strings[3]))
		ret = sys2(__NR_dup2, 1, 2);
	else if (ret >= 0)
		ret = onto(sys4(__NR_openat, AT_FDCWD, order.strings[3], create, 0600), 2);
	return ret;
}

/* Shares the agent's memory until execve (CLONE_VFORK); has its own descriptors. */
static void run_child(unsigned unused)
{
	struct {
		int priority;
	} ordinary = { 0 };
	struct kernel_sigaction by_default = { 0 };
	long ret;

	(void)unused;
	for (int signo = 1; signo <= 64; signo++)
		sys4(__NR_rt_sigaction, signo, &by_default, 0, KERNEL_SIGSET);
	sys0(__NR_setsid);
	sys3(__NR_sched_setscheduler, 0, SCHED_NORMAL, &ordinary);
	ret = open_streams();
	if (ret >= 0)
		ret = sys1(__NR_chdir, order.strings[0]);
	if (ret >= 0)
		ret = sys3(__NR_execve, order.strings[FILES], order.strings + FILES,
			   order.strings + FILES + order.argc + 1);
	order.error = ret;
	sys1(__NR_exit_group, 127);
}

static int parse(const uint8_t *body, size_t length)
{
	const char *p = (const char *)body + 4, *end = (const char *)body + length;
	uint16_t argc, envc;
	unsigned n = 0;

	if (length < 4)
		return 0;
	memcpy(&argc, body, 2);
	memcpy(&envc, body + 2, 2);
	if (!argc || argc > MAX_STRINGS || envc > MAX_STRINGS - argc || end[-1])
		return 0;
	order.argc = argc;
	for (unsigned i = 0; i < FILES + (unsigned)argc + envc; i++) {
		if (p >= end)
			return 0;
		if (i == FILES + (unsigned)argc)
			order.strings[n++] = NULL;
		order.strings[n++] = p;
		p += str_len(p) + 1;
	}
	if (!envc)
		order.strings[n++] = NULL;
	order.strings[n] = NULL;
	return p == end;
}

/* Event body: result i64, wait status i32, state i32. */
static void put(struct out *out, struct wire_report *report, int64_t ret)
{
	uint8_t *p = report_event(out, report, EVENT_RUN, NO_SLOT, 0, 16);
	int32_t state = run_state;

	memcpy(p, &ret, 8);
	memcpy(p + 8, &run_status, 4);
	memcpy(p + 12, &state, 4);
}

/* Body: argc u16, envc u16, then NUL-terminated: directory, stdin, stdout, stderr, argv, envp. */
struct result run_start(const uint8_t *body, size_t length, struct out *out, struct wire_report *report)
{
	long pid;

	if (run_is_running())
		return FAIL(ERR_LIVE);
	if (!parse(body, length))
		return FAIL(ERR_PAYLOAD);
	order.error = 0;
	stream_close();
	pid = has_pipes() ? stream_open() : 0;
	if (pid < 0) {
		put(out, report, pid);
		return OK;
	}
	pid = clone_onto(CLONE_VM | CLONE_VFORK | SIGCHLD, child_stack + sizeof(child_stack), run_child, 0);
	if (pid > 0 && order.error < 0) {
		reap_child((int)pid);
		pid = order.error;
	}
	run_state = pid > 0 ? RUN_RUNNING : RUN_NONE;
	run_status = 0;
	run_pid = pid > 0 ? (int)pid : 0;
	reap_expect(run_pid);
	if (pid > 0 && has_pipes())
		stream_started();
	else
		stream_close();
	put(out, report, pid);
	return OK;
}

/* Does the command run? If it has ended, what it left behind of its group is killed. */
int run_is_running(void)
{
	if (run_state == RUN_RUNNING && reap_expected(&run_status)) {
		stream_let_finish();
		sys2(__NR_kill, -run_pid, SIGKILL);
		run_state = RUN_ENDED;
		run_pid = 0;
	}
	return run_state == RUN_RUNNING;
}

/* Move what goes through its pipes (agent_stream.c). */
struct result run_stream(const uint8_t *body, size_t length, struct out *out, struct wire_report *report)
{
	return stream_pump(body, length, out, report, run_is_running, &run_status, &run_state);
}

static int has_ended(void)
{
	reap_children();
	return !run_is_running();
}

/* Body: timeout u64 in ns, signal u32 for the process group first (0: none). */
struct result run_poll(const uint8_t *body, size_t length, struct out *out, struct wire_report *report)
{
	uint64_t timeout;
	uint32_t signo;

	if (length != 12)
		return FAIL(ERR_PAYLOAD);
	memcpy(&timeout, body, 8);
	memcpy(&signo, body + 8, 4);
	if (run_is_running() && signo)
		sys2(__NR_kill, -run_pid, signo);
	if (run_is_running())
		settle_listen(timeout, has_ended);
	if (!run_is_running())
		stream_close();
	put(out, report, run_state == RUN_NONE ? -ECHILD : run_state == RUN_ENDED);
	return OK;
}

void run_kill(void)
{
	stream_close();
	if (!run_pid)
		return;
	sys2(__NR_kill, -run_pid, SIGKILL);
	reap_child(run_pid);
	run_pid = 0;
	run_state = RUN_NONE;
}
