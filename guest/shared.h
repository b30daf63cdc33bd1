/* The memory that the agent and its actors share, and where it lies.
 *
 * One region at a fixed address, the same in every process, backed by a file
 * in tmpfs (so that an image started by execve can map it again) or, failing
 * that, by anonymous shared memory. It holds the control block with the event
 * ring, then one slot per actor: mailbox, stack, bounce buffer, arena.
 * No pipe, no System V object and no socket is involved.
 */
#ifndef KTRACE_SHARED_H
#define KTRACE_SHARED_H

#include <stdint.h>

#define REGION_BASE 0x10000000000ull
#define SLOT_STRIDE 0x100000ull
#define SLOTS 64
#define REGION_SIZE (SLOT_STRIDE * (SLOTS + 1))

/* Offsets within a slot. */
#define STACK_TOP 0x10000ull
#define BOUNCE_OFFSET 0x10000ull
#define BOUNCE_SIZE 0x30000ull
#define ARENA_OFFSET 0x40000ull
#define ARENA_SIZE (SLOT_STRIDE - ARENA_OFFSET)
#define ARENA_BASE (REGION_BASE + SLOT_STRIDE + ARENA_OFFSET)

#define RING_SIZE 4096
#define RING_RESERVE 256 /* entries that signals may not take from completions */

/* What an actor notes in the ring, in the order in which it happened. */
struct ring_event {
	uint32_t kind; /* EVENT_*, 0: not (yet) written */
	uint32_t slot;
	int64_t ret;
	int32_t signo;
	int32_t code;
	int32_t error;
	int32_t pid;
	int32_t fd;
	uint32_t uid;
	int64_t band;
	uint64_t value;
	uint64_t spare;
};

struct control {
	uint32_t head; /* next entry actors take */
	uint32_t tail; /* next entry the agent reads */
	uint32_t lost; /* signals that found the ring full */
	uint32_t kick; /* futex: grows with each event */
	uint32_t listening; /* the agent sleeps on kick */
	uint32_t agent_pid;
	uint32_t pad[10];
	struct ring_event ring[RING_SIZE];
};

enum actor_state { ACTOR_FREE = 0, ACTOR_RESERVED = 1, ACTOR_PARKED = 2, ACTOR_BUSY = 3 };

/* How an actor came to be; tells it what to set up. */
enum actor_birth { BIRTH_SPAWN = 1, BIRTH_FORK = 2, BIRTH_EXEC = 3, BIRTH_DONE = 4 };

struct mailbox {
	uint32_t command; /* futex: grows with each operation */
	uint32_t state;
	uint32_t birth;
	uint32_t op; /* OP_* */
	uint64_t nr;
	uint64_t args[6];
	int64_t ret;
	int32_t own_pid; /* as the actor sees it */
	uint32_t seen; /* the last command taken */
};

static inline struct control *control(void)
{
	return (struct control *)REGION_BASE;
}

static inline uint8_t *slot_base(unsigned slot)
{
	return (uint8_t *)(REGION_BASE + SLOT_STRIDE * (slot + 1));
}

static inline struct mailbox *mailbox(unsigned slot)
{
	return (struct mailbox *)slot_base(slot);
}

static inline uint8_t *bounce(unsigned slot)
{
	return slot_base(slot) + BOUNCE_OFFSET;
}

static inline void *stack_top(unsigned slot)
{
	return slot_base(slot) + STACK_TOP;
}

#endif
