/* What became of traced tasks, until it is reported. */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/ptrace.h>
#include <linux/resource.h>
#include <linux/wait.h>

#include "agent.h"

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define EXEC_STOP (SIGTRAP | PTRACE_EVENT_EXEC << 8)
#define MAX_TRACED 1024 /* stops and ends that wait for their report */
#define SIGINFO_SIZE 128
#define SLICE_US 100000 /* of user mode, before a task that makes no call lets others run */

static int on;

static struct {
	int pid, status;
} traced[MAX_TRACED];

static unsigned traced_count;

int traced_any(void)
{
	return on;
}

void traced_begin(void)
{
	on = 1;
}

/* Real-time tasks that do not sleep for so long get SIGXCPU: no other would ever have the CPU again. */
void traced_limit_slice(int pid)
{
	struct {
		uint64_t soft, hard;
	} slice = { SLICE_US, ~0ull };

	sys4(__NR_prlimit64, pid, RLIMIT_RTTIME, &slice, 0);
}

/* A traced actor has stopped: at its execve it leaves its slot, before that nothing is for the host. */
void traced_note_slot(unsigned slot, int status)
{
	int pid = slots[slot].pid;

	if (status >> 8 == EXEC_STOP) {
		slot_clear(slot);
		traced_note(pid, status);
	} else {
		sys4(__NR_ptrace, PTRACE_CONT, pid, 0, status >> 16 ? 0 : status >> 8 & 0xff);
	}
}

void traced_note(int pid, int status)
{
	traced[traced_count].pid = pid;
	traced[traced_count++].status = status;
}

/* Is there no room for another stop? Those that are there must be reported first. */
int traced_is_full(void)
{
	return traced_count == MAX_TRACED;
}

int traced_pending(void)
{
	return traced_count != 0;
}

static void tell_syscall(int pid, struct wire_traced *body)
{
	struct ptrace_syscall_info info;

	if (sys4(__NR_ptrace, PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		body->kind = TRACED_ENTRY;
		body->numbers[0] = info.entry.nr;
		memcpy(body->numbers + 1, info.entry.args, sizeof(info.entry.args));
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		body->kind = TRACED_EXIT;
		body->numbers[0] = (uint64_t)info.exit.rval;
	}
}

static void tell_signal(int pid, struct wire_traced *body)
{
	int32_t info[SIGINFO_SIZE / 4]; /* si_signo, si_errno, si_code, padding, si_pid, si_uid, si_value */

	if (sys4(__NR_ptrace, PTRACE_GETSIGINFO, pid, 0, info) < 0)
		return; /* a group stop has none */
	body->kind = TRACED_SIGNAL;
	body->numbers[0] = (uint32_t)info[0];
	body->numbers[1] = (uint64_t)(int64_t)info[2];
	body->numbers[2] = (uint64_t)(int64_t)info[4];
	body->numbers[3] = (uint32_t)info[5];
	memcpy(&body->numbers[4], info + 6, 8);
	if (info[0] == SIGXCPU && info[2] == SI_KERNEL)
		traced_limit_slice(pid); /* check_thread_timers() has made it a second longer */
}

/* Say what became of a task, from its wait status and what the kernel says more of it. */
static void tell(int pid, int status, struct wire_traced *body)
{
	memset(body, 0, sizeof(*body));
	body->pid = pid;
	body->status = status;
	if ((status & 0xff) != 0x7f)
		return;
	if (status >> 8 == SYSCALL_STOP) {
		tell_syscall(pid, body);
	} else if (status >> 16) {
		body->kind = TRACED_EVENT;
		sys4(__NR_ptrace, PTRACE_GETEVENTMSG, pid, 0, &body->numbers[0]);
	} else {
		tell_signal(pid, body);
	}
}

/* Tell of the oldest of them. */
void traced_tell(struct wire_traced *body)
{
	tell(traced[0].pid, traced[0].status, body);
}

/* It is reported. */
void traced_forget(void)
{
	traced_count--;
	memmove(traced, traced + 1, traced_count * sizeof(traced[0]));
}
