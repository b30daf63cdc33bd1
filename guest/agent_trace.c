/* A program that is traced: every task of it stops at the entry and the exit of each call.
 *
 * The host says which of them goes on; with the priority of an actor it then runs until it
 * stops again or sleeps, so that rest is known as it is of actors (agent_settle.c).
 */
#include <linux/ptrace.h>
#include <linux/uio.h>

#include "agent_ops.h"

#define OPTIONS                                                                                      \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |     \
	 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

/* Trace an actor, which becomes a program at its next execve. */
struct result trace_slot(const struct op *op)
{
	int pid = slots[op->slot].pid;
	long ret;

	if (op->length)
		return FAIL(ERR_PAYLOAD);
	ret = sys4(__NR_ptrace, PTRACE_SEIZE, pid, 0, OPTIONS);
	if (ret < 0)
		return (struct result){ ERR_HOST, (int32_t)-ret };
	traced_limit_slice(pid);
	slots[op->slot].traced = 1;
	traced_begin();
	return OK;
}

/* Body: pid i32, request u32 (PTRACE_SYSCALL, CONT, LISTEN, INTERRUPT), signal u32. */
struct result trace_resume(const uint8_t *body, size_t length)
{
	long ret;

	if (length != 12)
		return FAIL(ERR_PAYLOAD);
	ret = sys4(__NR_ptrace, u32_at(body + 4), (int32_t)u32_at(body), 0, u32_at(body + 8));
	return ret < 0 ? (struct result){ ERR_HOST, (int32_t)-ret } : OK;
}

/* Body: pid i32, addr u64, length u32. Event body: what process_vm_readv(2) returned i64, data. */
struct result trace_peek(const uint8_t *body, size_t length, struct out *out, struct wire_report *report)
{
	struct iovec local, remote;
	uint32_t size;
	int64_t ret;
	uint8_t *p;

	if (length != 16)
		return FAIL(ERR_PAYLOAD);
	size = u32_at(body + 12);
	if (size > WIRE_MAX_EVENT)
		return FAIL(ERR_RANGE);
	p = report_event(out, report, EVENT_FILE, NO_SLOT, 0, sizeof(ret) + size);
	if (!p)
		return FAIL(ERR_ROOM);
	local = (struct iovec){ p + sizeof(ret), size };
	remote = (struct iovec){ (void *)u64_at(body + 4), size };
	ret = sys6(__NR_process_vm_readv, (int32_t)u32_at(body), (long)&local, 1, (long)&remote, 1, 0);
	memcpy(p, &ret, sizeof(ret));
	return OK;
}
