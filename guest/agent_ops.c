/* Operations on actors: check the body, fill the mailbox, hand over. */
#include <asm/signal.h>
#include <linux/sched.h>

#include "agent_ops.h"

/* Whatever a fork may ask for; threads and vfork would bind actors together. */
#define FORK_FLAGS                                                                                   \
	((uint64_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_IO |    \
		    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWNET |         \
		    CLONE_NEWCGROUP))

struct result do_spawn(const struct op *op)
{
	long pid;

	if (op->length)
		return FAIL(ERR_PAYLOAD);
	pid = slot_spawn(op->slot);
	if (pid < 0)
		return (struct result){ ERR_HOST, (int32_t)-pid };
	settle_actor((int)pid);
	return OK;
}

struct result do_fork(const struct op *op)
{
	struct mailbox *mb = mailbox(op->slot);
	uint64_t flags;
	uint32_t child;

	if (op->length != 12)
		return FAIL(ERR_PAYLOAD);
	flags = u64_at(op->body);
	child = u32_at(op->body + 8);
	if (child >= SLOTS)
		return FAIL(ERR_SLOT);
	if (!slot_is_free(child))
		return FAIL(ERR_LIVE);
	if (flags & ~FORK_FLAGS)
		return FAIL(ERR_RANGE);
	slot_clear(child);
	mailbox(child)->birth = BIRTH_FORK;
	mailbox(child)->state = ACTOR_RESERVED;
	slots[op->slot].child = (uint8_t)child;
	mb->args[0] = flags;
	mb->args[1] = child;
	slot_issue(op->slot, OP_FORK);
	return OK;
}

struct result do_copy_in(const struct op *op)
{
	struct mailbox *mb = mailbox(op->slot);

	if (op->length < 8)
		return FAIL(ERR_PAYLOAD);
	if (op->length - 8 > BOUNCE_SIZE)
		return FAIL(ERR_RANGE);
	memcpy(bounce(op->slot), op->body + 8, op->length - 8);
	mb->args[0] = u64_at(op->body);
	mb->args[1] = op->length - 8;
	slot_issue(op->slot, OP_COPY_IN);
	return OK;
}

struct result do_copy_out(const struct op *op)
{
	struct mailbox *mb = mailbox(op->slot);
	uint32_t length;

	if (op->length != 12)
		return FAIL(ERR_PAYLOAD);
	length = u32_at(op->body + 8);
	if (length > BOUNCE_SIZE)
		return FAIL(ERR_RANGE);
	slots[op->slot].load_count = 1;
	slots[op->slot].loads[0] = (struct wire_load){
		.addr = (uint64_t)(uintptr_t)bounce(op->slot), .length = length, .bound = LOAD_OK,
	};
	mb->args[0] = u64_at(op->body);
	mb->args[1] = length;
	slot_issue(op->slot, OP_COPY_OUT);
	return OK;
}

struct result do_exit(const struct op *op)
{
	if (op->length != 4)
		return FAIL(ERR_PAYLOAD);
	mailbox(op->slot)->args[0] = u32_at(op->body);
	slot_issue(op->slot, OP_EXIT);
	return OK;
}

struct result do_kill(const struct op *op)
{
	long ret;

	if (op->length != 4)
		return FAIL(ERR_PAYLOAD);
	ret = sys2(__NR_kill, slots[op->slot].pid, u32_at(op->body));
	return ret < 0 ? (struct result){ ERR_HOST, (int32_t)-ret } : OK;
}

struct result do_sigaction(const struct op *op)
{
	struct mailbox *mb = mailbox(op->slot);
	uint32_t signo, disposition;

	if (op->length != 8)
		return FAIL(ERR_PAYLOAD);
	signo = u32_at(op->body);
	disposition = u32_at(op->body + 4);
	if (disposition > DISP_RECORD_RESTART || signo == SIGSEGV || signo == SIGBUS)
		return FAIL(ERR_RANGE);
	mb->args[0] = signo;
	mb->args[1] = disposition;
	slot_issue(op->slot, OP_SIGACTION);
	return OK;
}

struct result do_wait(const struct op *op)
{
	if (op->length != 8)
		return FAIL(ERR_PAYLOAD);
	settle_listen(u64_at(op->body), report_pending);
	return OK;
}
