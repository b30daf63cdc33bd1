/* The agent's view of its actors: birth, operations handed over, state. */
#include <asm/signal.h>
#include <linux/futex.h>
#include <linux/sched.h>

#include "agent.h"

struct slot slots[SLOTS];
uint64_t live_slots, forking_slots;

void slot_set_pid(unsigned slot, int32_t pid)
{
	slots[slot].pid = pid;
	live_slots = pid ? live_slots | 1ull << slot : live_slots & ~(1ull << slot);
}

void slot_set_pending(unsigned slot, unsigned op)
{
	slots[slot].pending = (uint8_t)op;
	forking_slots = op == OP_FORK ? forking_slots | 1ull << slot : forking_slots & ~(1ull << slot);
}

int slot_is_free(unsigned slot)
{
	return !slots[slot].pid && mailbox(slot)->state == ACTOR_FREE;
}

/* Make a free slot ready for a new actor: empty arena, mailbox at rest. */
void slot_clear(unsigned slot)
{
	struct mailbox *mb = mailbox(slot);

	if (slots[slot].touched) {
		if (sys3(__NR_madvise, slot_base(slot) + ARENA_OFFSET, ARENA_SIZE, MADV_REMOVE) < 0)
			memset(slot_base(slot) + ARENA_OFFSET, 0, ARENA_SIZE);
		slots[slot].touched = 0;
	}
	slot_set_pid(slot, 0);
	slot_set_pending(slot, 0);
	slots[slot].load_count = 0;
	slots[slot].touched = 1; /* by the kernel, before anybody could tell */
	slots[slot].traced = 0;
	mb->seen = mb->command;
	mb->birth = 0;
	mb->own_pid = 0;
	mb->ret = 0;
	mb->state = ACTOR_FREE;
}

/* Hand the operation in the mailbox to its actor. */
void slot_issue(unsigned slot, unsigned op)
{
	struct mailbox *mb = mailbox(slot);

	slot_set_pending(slot, op);
	mb->op = op;
	__atomic_store_n(&mb->state, ACTOR_BUSY, __ATOMIC_RELAXED);
	__atomic_fetch_add(&mb->command, 1, __ATOMIC_SEQ_CST);
	sys3(__NR_futex, &mb->command, FUTEX_WAKE, 1);
}

/* Note the process id of a fork's child, once its parent has told it. */
void slot_adopt(unsigned slot)
{
	struct mailbox *mb = mailbox(slot);
	unsigned child = slots[slot].child;

	if (slots[slot].pending != OP_FORK || slots[child].pid)
		return;
	if (__atomic_load_n(&mb->state, __ATOMIC_ACQUIRE) == ACTOR_PARKED && mb->ret > 0)
		slot_set_pid(child, (int32_t)mb->ret);
}

/* Start a fresh actor; its process id or -errno. */
long slot_spawn(unsigned slot)
{
	struct mailbox *mb = mailbox(slot);
	long pid;

	slot_clear(slot);
	mb->birth = BIRTH_SPAWN;
	mb->state = ACTOR_BUSY;
	pid = clone_onto(SIGCHLD, stack_top(slot), actor_enter, slot);
	if (pid < 0) {
		mb->state = ACTOR_FREE;
		return pid;
	}
	slot_set_pid(slot, (int32_t)pid);
	slot_set_pending(slot, OP_SPAWN);
	return pid;
}

uint64_t slots_blocked(void)
{
	uint64_t blocked = 0;

	for_each_slot(slot, live_slots)
		if (mailbox(slot)->state == ACTOR_BUSY)
			blocked |= 1ull << slot;
	return blocked;
}
