/* OP_CALL: what a system call reads is put into the arena, what it wrote is to be reported. */
#include "agent_ops.h"

/* Does [addr, addr + length) lie within one actor's arena? */
static int in_arena(uint64_t addr, uint64_t length)
{
	uint64_t offset = (addr - (REGION_BASE + SLOT_STRIDE)) % SLOT_STRIDE;

	return addr >= ARENA_BASE && addr < REGION_BASE + REGION_SIZE && offset >= ARENA_OFFSET &&
	       length <= SLOT_STRIDE - offset;
}

static void touch(uint64_t addr)
{
	slots[(addr - REGION_BASE) / SLOT_STRIDE - 1].touched = 1;
}

/* System calls that would tear an actor from its mailbox; OP_FORK is there instead. */
static int is_forbidden(uint32_t nr)
{
	switch (nr) {
	case __NR_clone: case __NR_clone3: case __NR_fork: case __NR_vfork: case __NR_rt_sigreturn:
		return 1;
	default:
		return 0;
	}
}

struct result do_call(const struct op *op)
{
	struct slot *s = &slots[op->slot];
	struct mailbox *mb = mailbox(op->slot);
	const uint8_t *p = op->body + 56, *end = op->body + op->length;
	uint64_t total = 0;
	unsigned stores, loads;

	if (op->length < 56)
		return FAIL(ERR_PAYLOAD);
	if (is_forbidden(u32_at(op->body)))
		return FAIL(ERR_OP);
	stores = u16_at(op->body + 4);
	loads = u16_at(op->body + 6);
	if (stores > MAX_STORES || loads > MAX_LOADS)
		return FAIL(ERR_RANGE);
	for (unsigned i = 0; i < stores; i++) {
		uint32_t length;

		if (end - p < 12 || (length = u32_at(p + 8)) > end - p - 12)
			return FAIL(ERR_PAYLOAD);
		if (!in_arena(u64_at(p), length))
			return FAIL(ERR_RANGE);
		p += 12 + length;
	}
	if ((size_t)(end - p) != loads * sizeof(struct wire_load))
		return FAIL(ERR_PAYLOAD);
	memcpy(s->loads, p, loads * sizeof(struct wire_load));
	for (unsigned i = 0; i < loads; i++) {
		total += s->loads[i].length;
		if (!in_arena(s->loads[i].addr, s->loads[i].length) || total > WIRE_MAX_EVENT)
			return FAIL(ERR_RANGE);
		if (s->loads[i].bound > LOAD_RET)
			return FAIL(ERR_PAYLOAD);
	}
	/* What the kernel does not write keeps this; where it reads as well, a store follows. */
	for (unsigned i = 0; i < loads; i++) {
		if (!s->loads[i].length)
			continue;
		memset((void *)s->loads[i].addr, UNWRITTEN, s->loads[i].length);
		touch(s->loads[i].addr);
	}
	p = op->body + 56;
	for (unsigned i = 0; i < stores; i++) {
		uint32_t length = u32_at(p + 8);

		memcpy((void *)u64_at(p), p + 12, length);
		touch(u64_at(p));
		p += 12 + length;
	}
	s->load_count = (uint8_t)loads;
	mb->nr = u32_at(op->body);
	memcpy(mb->args, op->body + 8, sizeof(mb->args));
	slot_issue(op->slot, OP_CALL);
	return OK;
}
