/* Quiescence: when is every actor parked or blocked in the kernel?
 *
 * Priority: one CPU, actors at SCHED_FIFO, the agent at SCHED_IDLE. When the
 * agent runs, no actor can. Kernel threads with work left (softirqs, workqueues)
 * are let in by sched_yield(); when that comes back without a context switch
 * there are none, else the number of runnable tasks must fall to the agent's own.
 *
 * Observed, on any other kernel: two passes over the actors' states, all
 * sleeping in both and no context switch in between, so that there was a
 * moment at which all slept at once.
 */
#include <asm/signal.h>
#include <linux/futex.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "agent.h"

#define LONGEST_WAIT_NS 1000000000000000000ull
#define D_STATE_SETTLES_NS 20000000ll

static int method;
static unsigned cpus;
static long loadavg = -1;

struct param {
	int priority;
};

static int child_died;

static void on_child(int signo)
{
	(void)signo;
	__atomic_store_n(&child_died, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&control()->kick, 1, __ATOMIC_SEQ_CST);
}

/* Has a child changed since the last time this was asked? By priority the signal has come
 * before the agent runs again; otherwise it may still be on its way, so ask the kernel. */
int settle_child_died(void)
{
	return __atomic_exchange_n(&child_died, 0, __ATOMIC_SEQ_CST) || method != QUIESCE_PRIORITY;
}

/* Have it asked again. */
void settle_child_may_have_died(void)
{
	__atomic_store_n(&child_died, 1, __ATOMIC_SEQ_CST);
}

static unsigned count_cpus(void)
{
	char text[256];
	const char *p = text;
	unsigned count = 0;

	if (slurp("/sys/devices/system/cpu/online", text, sizeof(text)) <= 0) {
		uint64_t mask[128] = { 0 };
		long bytes = sys3(__NR_sched_getaffinity, 0, sizeof(mask), mask);

		for (long i = 0; i < bytes / 8; i++)
			for (uint64_t rest = mask[i]; rest; rest &= rest - 1)
				count++;
		return count;
	}
	while (*p >= '0' && *p <= '9') {
		uint64_t first = get_num(&p), last = first;

		if (*p == '-') {
			p++;
			last = get_num(&p);
		}
		count += last - first + 1;
		if (*p == ',')
			p++;
	}
	return count;
}

static int use_priority(void)
{
	char text[32];
	struct param none = { 0 }, fifo = { ACTOR_PRIORITY };

	if (slurp("/proc/sys/kernel/sched_rt_runtime_us", text, sizeof(text)) > 0 && text[0] != '-')
		return 0; /* throttled real-time tasks would let the agent in between */
	if (sys3(__NR_sched_setscheduler, 0, SCHED_FIFO, &fifo) < 0)
		return 0;
	return sys3(__NR_sched_setscheduler, 0, SCHED_IDLE, &none) == 0;
}

/* Choose and prepare the method; 0, or -1 when the one wanted cannot be had. */
int settle_start(int wanted)
{
	struct kernel_sigaction action = { (void *)on_child, SA_RESTORER, signal_return, 0 };

	struct kernel_sigaction ignore = { (void *)1, SA_RESTORER, signal_return, 0 };

	/* Actors may signal everybody, or the process group that the agent is in, too. */
	for (int signo = 1; signo <= 64; signo++)
		sys4(__NR_rt_sigaction, signo, &ignore, 0, KERNEL_SIGSET);
	cpus = count_cpus();
	sys4(__NR_rt_sigaction, SIGCHLD, &action, 0, KERNEL_SIGSET);
	if (wanted != QUIESCE_OBSERVED && cpus == 1 && use_priority()) {
		method = QUIESCE_PRIORITY;
		loadavg = sys4(__NR_openat, AT_FDCWD, "/proc/loadavg", O_RDONLY | O_CLOEXEC, 0);
	} else {
		method = QUIESCE_OBSERVED;
	}
	return wanted == QUIESCE_PRIORITY && method != QUIESCE_PRIORITY ? -1 : 0;
}

int settle_method(void)
{
	return method;
}

unsigned settle_cpus(void)
{
	return cpus;
}

/* Give a new actor its priority; it runs until it parks before this returns. */
void settle_actor(int pid)
{
	struct param fifo = { ACTOR_PRIORITY };

	if (method == QUIESCE_PRIORITY)
		sys3(__NR_sched_setscheduler, pid, SCHED_FIFO, &fifo);
}

/* "0.00 0.01 0.05 1/40 99": the number before the slash. */
static unsigned runnable(void)
{
	char text[64];
	long got = loadavg < 0 ? 0 : sys4(__NR_pread64, loadavg, text, sizeof(text) - 1, 0);
	unsigned spaces = 0;

	for (long i = 0; i < got; i++) {
		if (text[i] == ' ' && ++spaces == 3) {
			const char *p = text + i + 1;

			text[got] = 0;
			return (unsigned)get_num(&p);
		}
	}
	return 1;
}

/* Sleep until nobody else wants the CPU, or so long: for who has a higher priority than all others. */
void settle_let_others(int64_t ns)
{
	int64_t deadline = now_ns(CLOCK_MONOTONIC) + ns;

	if (method != QUIESCE_PRIORITY)
		return;
	do
		nap_ns(1000000);
	while (runnable() > 1 && now_ns(CLOCK_MONOTONIC) < deadline);
}

/* How often this task was switched away from. */
static int64_t switches(void)
{
	struct rusage usage;

	if (sys2(__NR_getrusage, RUSAGE_THREAD, &usage) < 0)
		return -1;
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static uint64_t settle_by_priority(int command_runs)
{
	int64_t deadline = 0, before;

	if (command_runs) /* a command may run for ever; actors cannot */
		return 0;
	before = switches();
	sys0(__NR_sched_yield);
	if (before >= 0 && switches() == before)
		return 0; /* nobody wanted the CPU that was offered */
	while (runnable() > 1) {
		int64_t now = now_ns(CLOCK_MONOTONIC);

		if (!deadline)
			deadline = now + SETTLE_DEADLINE_NS;
		else if (now > deadline)
			return ~0ull;
		sys0(__NR_sched_yield);
	}
	return 0;
}

struct look {
	int state; /* as in /proc/PID/status; 0: the process is gone */
	uint64_t switches;
};

static const char *find_line(const char *text, const char *key)
{
	size_t n = str_len(key);

	for (;;) {
		if (!memcmp(text, key, n))
			return text + n;
		while (*text && *text != '\n')
			text++;
		if (!*text++)
			return NULL;
		if (str_len(text) < n)
			return NULL;
	}
}

static struct look look_at(int pid)
{
	char path[64], text[4096];
	const char *end = path + sizeof(path), *p;
	struct look look = { 0, 0 };

	put_str(put_dec(put_str(path, end, "/proc/"), end, pid), end, "/status");
	if (slurp(path, text, sizeof(text)) <= 0)
		return look;
	p = find_line(text, "State:\t");
	look.state = p ? *p : 'S';
	p = find_line(text, "voluntary_ctxt_switches:\t");
	if (p)
		look.switches = get_num(&p);
	p = find_line(text, "nonvoluntary_ctxt_switches:\t");
	if (p)
		look.switches += get_num(&p);
	return look;
}

static int is_quiet(int state, int64_t waited)
{
	switch (state) {
	case 'R':
		return 0;
	case 'D':
		return waited > D_STATE_SETTLES_NS;
	default:
		return 1;
	}
}

static uint64_t settle_by_looking(void)
{
	static struct look last[SLOTS];
	int64_t start = now_ns(CLOCK_MONOTONIC), waited = 0;
	uint32_t kick = 0;

	for (unsigned pass = 0;; pass++) {
		uint64_t restless = 0;
		uint32_t kick_now = __atomic_load_n(&control()->kick, __ATOMIC_SEQ_CST);

		for_each_slot(slot, forking_slots)
			slot_adopt(slot);
		for_each_slot(slot, live_slots) {
			struct look look = look_at(slots[slot].pid);

			if (!is_quiet(look.state, waited) || look.state != last[slot].state ||
			    look.switches != last[slot].switches)
				restless |= 1ull << slot;
			last[slot] = look;
		}
		if (!restless && pass && kick == kick_now)
			return 0;
		kick = kick_now;
		waited = now_ns(CLOCK_MONOTONIC) - start;
		if (restless && waited > SETTLE_DEADLINE_NS)
			return restless;
		if (pass < 50)
			sys0(__NR_sched_yield);
		else
			nap_ns(pass < 200 ? 50000 : 1000000);
	}
}

/* Wait until every actor is parked or blocked; the slots for which that failed.
 * command_runs: there is one outside the actors, which shares the CPU with the agent. */
uint64_t settle(int command_runs)
{
	return method == QUIESCE_PRIORITY ? settle_by_priority(command_runs) : settle_by_looking();
}

/* Sleep until `satisfied`, looked at whenever an actor or a child reports, or the time is over. */
void settle_listen(uint64_t timeout_ns, int (*satisfied)(void))
{
	struct control *c = control();
	int64_t deadline = now_ns(CLOCK_MONOTONIC) +
			   (int64_t)(timeout_ns < LONGEST_WAIT_NS ? timeout_ns : LONGEST_WAIT_NS);

	__atomic_store_n(&c->listening, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		uint32_t kick = __atomic_load_n(&c->kick, __ATOMIC_SEQ_CST);
		int64_t left = deadline - now_ns(CLOCK_MONOTONIC);
		struct timespec64 ts = { left / 1000000000, left % 1000000000 };

		if (satisfied() || left <= 0)
			break;
		sys4(__NR_futex, &c->kick, FUTEX_WAIT, kick, &ts);
	}
	__atomic_store_n(&c->listening, 0, __ATOMIC_SEQ_CST);
}
