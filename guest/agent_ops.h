/* What the operations' source files know of each other. */
#ifndef KTRACE_AGENT_OPS_H
#define KTRACE_AGENT_OPS_H

#include "agent.h"

#define OK ((struct result){ ERR_NONE, 0 })
#define FAIL(code) ((struct result){ (code), 0 })

/* One operation as it came; which it is decides what its body means. */
struct op {
	unsigned code, slot;
	const uint8_t *body;
	uint32_t length;
};

static inline uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static inline uint64_t u64_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static inline uint16_t u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

/* agent_ops.c: what an actor is told, and its birth */
struct result do_spawn(const struct op *op);
struct result do_fork(const struct op *op);
struct result do_copy_in(const struct op *op);
struct result do_copy_out(const struct op *op);
struct result do_exit(const struct op *op);
struct result do_kill(const struct op *op);
struct result do_sigaction(const struct op *op);
struct result do_wait(const struct op *op);

/* agent_call.c: a system call */
struct result do_call(const struct op *op);

/* agent_trace.c: a program, call by call */
struct result trace_slot(const struct op *op);
struct result trace_resume(const uint8_t *body, size_t length);
struct result trace_peek(const uint8_t *body, size_t length, struct out *out, struct wire_report *report);

/* agent_exec.c: another program, or this one again */
struct result do_exec(const struct op *op);

#endif
