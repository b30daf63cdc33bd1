/* Standard input, output and error of a command as pipes, whose other ends are here.
 *
 * While it runs the agent is no longer the last to be run, but the first: it only moves bytes, and however
 * many tasks the command has, they cannot keep it from that.
 */
#include <asm/poll.h>
#include <asm/signal.h>
#include <linux/sched.h>

#include "agent_ops.h"

#define STREAMS 3
#define LOWEST_FREE 3 /* descriptors below are the command's */
#define ROOM (WIRE_MAX_EVENT / 2) /* of standard output, and of error, in one report */
#define GATHER_NS 20000000ll /* so long more output is waited for, while some comes */
#define FINISH_NS 200000000ll
#define NAP_NS 1000000ll
#define END_OF_INPUT 1
#define BLOCKED_SIGNALS (1ull << (SIGCHLD - 1))

static int ours[STREAMS] = { -1, -1, -1 };
static int theirs[STREAMS] = { -1, -1, -1 };
static int is_open;

struct pump {
	const uint8_t *given;
	size_t length, taken;
	int ends_here; /* nothing follows what is given */
	uint8_t *to[STREAMS]; /* 1 and 2 only */
	size_t got[STREAMS];
	int drained; /* of [1] and [2]: there was nothing more */
	int (*runs)(void);
};

static void drop(int *fd)
{
	if (*fd >= 0)
		sys1(__NR_close, *fd);
	*fd = -1;
}

static void run_first(int first)
{
	struct {
		int priority;
	} param = { first ? 1 : 0 };

	if (settle_method() == QUIESCE_PRIORITY)
		sys3(__NR_sched_setscheduler, 0, first ? SCHED_FIFO : SCHED_IDLE, &param);
}

/* Make the pipes, before the command is born; 0 or -errno. */
long stream_open(void)
{
	for (int i = 0; i < STREAMS; i++) {
		int fds[2];
		long ret = sys2(__NR_pipe2, fds, O_CLOEXEC);

		for (int end = 0; end < 2 && ret >= 0; end++) {
			long moved = sys3(__NR_fcntl, fds[end], F_DUPFD_CLOEXEC, LOWEST_FREE);

			sys1(__NR_close, fds[end]);
			*(end == (i == 0) ? &ours[i] : &theirs[i]) = (int)moved;
			ret = moved;
		}
		if (ret >= 0)
			ret = sys3(__NR_fcntl, ours[i], F_SETFL, O_NONBLOCK);
		if (ret < 0) {
			stream_close();
			return ret;
		}
	}
	is_open = 1;
	run_first(1); /* now: it may leave nothing of the CPU from its first moment on */
	return 0;
}

/* Have them at the command's own descriptors, and nothing else open; called by the child. */
long stream_give(void)
{
	long ret = 0;

	for (int i = 0; i < STREAMS && ret >= 0; i++)
		ret = sys2(__NR_dup2, theirs[i], i);
	sys3(__NR_close_range, LOWEST_FREE, ~0u, 0);
	return ret;
}

/* The command runs: it alone has its ends. */
void stream_started(void)
{
	for (int i = 0; i < STREAMS; i++)
		drop(&theirs[i]);
	/* A kernel that is out of memory shall take who uses it up. */
	spill("/proc/self/oom_score_adj", "-1000");
}

/* It has ended: let those that it has left come to rest before they are killed, or told as left behind. */
void stream_let_finish(void)
{
	if (is_open)
		settle_let_others(FINISH_NS);
}

void stream_close(void)
{
	if (is_open) {
		run_first(0);
		spill("/proc/self/oom_score_adj", "0");
	}
	is_open = 0;
	for (int i = 0; i < STREAMS; i++) {
		drop(&theirs[i]);
		drop(&ours[i]);
	}
}

static int write_some(struct pump *pump)
{
	size_t left = pump->length - pump->taken;
	long put = 0;

	if (ours[0] >= 0 && left) {
		put = sys3(__NR_write, ours[0], pump->given + pump->taken, left);
		if (put > 0)
			pump->taken += (size_t)put;
		else if (put != -EAGAIN && put != -EINTR)
			drop(&ours[0]); /* nobody reads any more */
	}
	if (pump->ends_here && pump->taken == pump->length)
		drop(&ours[0]);
	return put > 0;
}

static int read_some(struct pump *pump, int i)
{
	int moved = 0;

	while (ours[i] >= 0 && pump->got[i] < ROOM) {
		long got = sys3(__NR_read, ours[i], pump->to[i] + pump->got[i], ROOM - pump->got[i]);

		if (got == -EINTR)
			continue;
		if (got <= 0) {
			pump->drained |= 1 << i;
			if (got != -EAGAIN)
				drop(&ours[i]); /* nobody writes any more */
			return moved;
		}
		pump->got[i] += (size_t)got;
		moved = 1;
	}
	if (ours[i] < 0)
		pump->drained |= 1 << i;
	return moved;
}

static int move_some(struct pump *pump)
{
	int moved = write_some(pump);

	pump->drained = 0;
	moved |= read_some(pump, 1);
	return moved | read_some(pump, 2);
}

/* Sleep until a pipe is ready, SIGCHLD comes, or the time is over. */
static void wait_for_pipes(const struct pump *pump, int64_t ns)
{
	struct pollfd fds[STREAMS] = { { -1, POLLOUT, 0 }, { ours[1], POLLIN, 0 }, { ours[2], POLLIN, 0 } };
	struct timespec64 ts = { ns / 1000000000, ns % 1000000000 };
	uint64_t none = 0;

	if (pump->taken < pump->length)
		fds[0].fd = ours[0];
	sys6(__NR_ppoll, (long)fds, pump->got[1] || pump->got[2] ? 0 : STREAMS, (long)&ts, (long)&none,
	     KERNEL_SIGSET, 0);
}

static void pump_until(struct pump *pump, int64_t deadline)
{
	int64_t first = 0;

	for (;;) {
		int runs = (reap_children(), pump->runs());
		int moved = move_some(pump);
		int64_t now = now_ns(CLOCK_MONOTONIC);

		if (!runs || pump->got[1] == ROOM || pump->got[2] == ROOM || now >= deadline)
			return;
		if (pump->got[1] || pump->got[2]) {
			if (!first)
				first = now;
			else if (!moved || now - first > GATHER_NS)
				return;
			wait_for_pipes(pump, NAP_NS);
			continue;
		}
		if (pump->length && pump->taken == pump->length && !pump->ends_here)
			return; /* more may be given */
		if (pump->length && ours[0] < 0 && !pump->ends_here)
			return; /* and need not be */
		wait_for_pipes(pump, deadline - now);
	}
}

/* Body: timeout u64 ns, flags u32 (1: standard input ends behind this), data for standard input.
 * Event: taken i64 (-EPIPE: nobody reads), wait status i32, state i32, drained u32, length of
 * standard output u32, standard output, standard error. runs: does the command? */
struct result stream_pump(const uint8_t *body, size_t length, struct out *out, struct wire_report *report,
			  int (*runs)(void), const int *status, const int *state)
{
	const uint64_t blocked = BLOCKED_SIGNALS;
	struct pump pump = { 0 };
	uint64_t timeout;
	uint32_t flags;

	if (length < 12)
		return FAIL(ERR_PAYLOAD);
	memcpy(&timeout, body, 8);
	memcpy(&flags, body + 8, 4);
	if (flags & ~END_OF_INPUT || timeout > WIRE_MAX_WAIT_NS)
		return FAIL(ERR_RANGE);
	pump.runs = runs;
	pump.given = body + 12;
	pump.length = length - 12;
	pump.ends_here = flags & END_OF_INPUT;
	pump.to[1] = out->p + sizeof(struct wire_event_header) + sizeof(struct wire_stream);
	pump.to[2] = pump.to[1] + ROOM;
	/* A death that comes between the look and the sleep ends the sleep. */
	sys4(__NR_rt_sigprocmask, SIG_BLOCK, &blocked, 0, KERNEL_SIGSET);
	pump_until(&pump, now_ns(CLOCK_MONOTONIC) + (int64_t)timeout);
	sys4(__NR_rt_sigprocmask, SIG_UNBLOCK, &blocked, 0, KERNEL_SIGSET);
	{
		struct wire_stream head = {
			.taken = (int64_t)pump.taken,
			.status = *status,
			.state = *state,
			.drained = pump.drained == (1 << 1 | 1 << 2),
			.out_length = (uint32_t)pump.got[1],
		};
		uint8_t *event;

		if (ours[0] < 0 && pump.taken < pump.length)
			head.taken = -EPIPE;
		memmove(pump.to[1] + pump.got[1], pump.to[2], pump.got[2]);
		event = report_event(out, report, EVENT_STREAM, NO_SLOT, 0,
				     (uint32_t)(sizeof(head) + pump.got[1] + pump.got[2]));
		memcpy(event, &head, sizeof(head));
		if (head.drained && head.state != RUN_RUNNING)
			stream_close();
	}
	return OK;
}
