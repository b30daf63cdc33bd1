/* Operations: decode, check, hand over, report. */
#include <asm/signal.h>
#include <linux/sched.h>

#include "agent.h"

#define OK ((struct result){ ERR_NONE, 0 })
#define FAIL(code) ((struct result){ (code), 0 })

/* Whatever a fork may ask for; threads and vfork would bind actors together. */
#define FORK_FLAGS                                                                                   \
	((uint64_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_IO |    \
		    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWNET |         \
		    CLONE_NEWCGROUP))

struct op {
	unsigned code, slot;
	const uint8_t *body;
	uint32_t length;
};

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint64_t u64_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static uint16_t u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

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

static struct result do_call(const struct op *op)
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

static struct result do_spawn(const struct op *op)
{
	long pid;

	if (op->length)
		return FAIL(ERR_PAYLOAD);
	pid = slot_spawn(op->slot);
	return pid < 0 ? (struct result){ ERR_HOST, (int32_t)-pid } : OK;
}

static int is_free(unsigned slot)
{
	return !slots[slot].pid && mailbox(slot)->state == ACTOR_FREE;
}

static struct result do_fork(const struct op *op)
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
	if (!is_free(child))
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

static struct result do_copy_in(const struct op *op)
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

static struct result do_copy_out(const struct op *op)
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

static struct result do_exit(const struct op *op)
{
	if (op->length != 4)
		return FAIL(ERR_PAYLOAD);
	mailbox(op->slot)->args[0] = u32_at(op->body);
	slot_issue(op->slot, OP_EXIT);
	return OK;
}

static struct result do_kill(const struct op *op)
{
	long ret;

	if (op->length != 4)
		return FAIL(ERR_PAYLOAD);
	ret = sys2(__NR_kill, slots[op->slot].pid, u32_at(op->body));
	return ret < 0 ? (struct result){ ERR_HOST, (int32_t)-ret } : OK;
}

/* Lay out argv and envp, count strings each NUL-terminated, in the bounce buffer. */
static struct result lay_out(const struct op *op, const uint8_t *p, const uint8_t *end)
{
	struct mailbox *mb = mailbox(op->slot);
	unsigned argc = u16_at(op->body), envc = u16_at(op->body + 2);
	uint64_t pointers = (uint64_t)argc + 1 + envc + 1;
	uint64_t *vector = (uint64_t *)bounce(op->slot);
	uint8_t *text = bounce(op->slot) + pointers * 8;
	unsigned n = 0;

	if (pointers * 8 + (uint64_t)(end - p) > BOUNCE_SIZE)
		return FAIL(ERR_RANGE);
	mb->args[0] = (uint64_t)(uintptr_t)text;
	mb->args[1] = (uint64_t)(uintptr_t)vector;
	mb->args[2] = (uint64_t)(uintptr_t)(vector + argc + 1);
	for (unsigned i = 0; i < 1 + argc + envc; i++) {
		const uint8_t *start = p;

		if (i) {
			if (n == argc)
				vector[n++] = 0;
			vector[n++] = (uint64_t)(uintptr_t)text;
		}
		while (p < end && *p)
			p++;
		if (p == end)
			return FAIL(ERR_PAYLOAD);
		p++;
		memcpy(text, start, (size_t)(p - start));
		text += p - start;
	}
	if (n == argc)
		vector[n++] = 0;
	vector[n] = 0;
	return p == end ? OK : FAIL(ERR_PAYLOAD);
}

/* execve of a path, or, the path being empty, of this program as the same actor. */
static struct result do_exec(const struct op *op)
{
	struct op self = *op;
	struct result result;
	uint8_t text[4 + 2 * MAX_PATH + 64];
	const char *const end = (const char *)text + sizeof(text);
	char *p = (char *)text + 4;

	if (op->length < 5)
		return FAIL(ERR_PAYLOAD);
	if (!op->body[4]) {
		const uint16_t counts[2] = { 4, 0 };

		if (!hello_region()[0])
			return FAIL(ERR_HOST); /* memory that a new image could not find */
		memcpy(text, counts, sizeof(counts));
		p = put_str(p, end, hello_exe()) + 1;
		p = put_str(p, end, "agent") + 1;
		p = put_str(p, end, "--actor") + 1;
		p = put_dec(p, end, op->slot) + 1;
		p = put_str(p, end, hello_region()) + 1;
		self.body = text;
		self.length = (uint32_t)((uint8_t *)p - text);
	}
	result = lay_out(&self, self.body + 4, self.body + self.length);
	if (!result.error)
		slot_issue(op->slot, OP_EXEC);
	return result;
}

static struct result do_sigaction(const struct op *op)
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

static struct result do_wait(const struct op *op)
{
	if (op->length != 8)
		return FAIL(ERR_PAYLOAD);
	settle_listen(u64_at(op->body), report_pending);
	return OK;
}

static struct result check_slot(const struct op *op)
{
	if (op->code >= OP_READ_FILE)
		return op->slot == NO_SLOT ? OK : FAIL(ERR_SLOT);
	if (op->slot >= SLOTS)
		return FAIL(ERR_SLOT);
	if (op->code == OP_SPAWN)
		return is_free(op->slot) ? OK : FAIL(ERR_LIVE);
	if (!slots[op->slot].pid)
		return FAIL(ERR_DEAD);
	if (op->code != OP_KILL && mailbox(op->slot)->state != ACTOR_PARKED)
		return FAIL(ERR_BLOCKED);
	return OK;
}

static struct result perform(const struct op *op, struct out *out, struct wire_report *report)
{
	struct result result = check_slot(op);

	if (result.error)
		return result;
	switch (op->code) {
	case OP_SPAWN:
		return do_spawn(op);
	case OP_FORK:
		return do_fork(op);
	case OP_CALL:
		return do_call(op);
	case OP_COPY_IN:
		return do_copy_in(op);
	case OP_COPY_OUT:
		return do_copy_out(op);
	case OP_EXIT:
		return do_exit(op);
	case OP_KILL:
		return do_kill(op);
	case OP_EXEC:
		return do_exec(op);
	case OP_SIGACTION:
		return do_sigaction(op);
	case OP_READ_FILE:
		return files_read(op->body, op->length, out, report);
	case OP_WRITE_FILE:
		return files_write(op->body, op->length, out, report);
	case OP_WAIT:
		return do_wait(op);
	case OP_RUN:
		return run_start(op->body, op->length, out, report);
	case OP_RUN_POLL:
		return run_poll(op->body, op->length, out, report);
	default:
		return FAIL(ERR_OP);
	}
}

/* Do one operation; its report stands at out->p, or nothing on an error. */
static struct result step(const struct op *op, struct out *out)
{
	struct wire_report report;
	struct result result;
	uint8_t *header = out->p;

	if ((size_t)(out->end - out->p) < WIRE_MAX_EVENT + 65536)
		return FAIL(ERR_ROOM);
	if (op->code < OP_SPAWN || op->code > OP_RUN_POLL)
		return FAIL(ERR_OP);
	report_begin(out, &report);
	result = perform(op, out, &report);
	if (result.error) {
		out->p = header;
		return result;
	}
	report_end(out, header, &report, op->slot, settle());
	return result;
}

/* Do a batch's operations in order, up to the first error. */
struct result batch_run(const uint8_t *payload, size_t length, struct out *out)
{
	struct wire_batch_reply reply = { 0, ERR_NONE, 0, 0 };
	const uint8_t *p = payload, *end = payload + length;
	uint8_t *head = out->p;
	struct result result = OK;

	out->p += sizeof(reply);
	while (p < end) {
		struct wire_op_header header;
		struct op op;

		if ((size_t)(end - p) < sizeof(header)) {
			result = FAIL(ERR_PAYLOAD);
			break;
		}
		memcpy(&header, p, sizeof(header));
		p += sizeof(header);
		if (header.zero || header.length > (size_t)(end - p)) {
			result = FAIL(ERR_PAYLOAD);
			break;
		}
		op = (struct op){ header.op, header.slot, p, header.length };
		p += header.length;
		result = step(&op, out);
		if (result.error)
			break;
		reply.reports++;
	}
	reply.error = result.error;
	reply.detail = result.detail;
	memcpy(head, &reply, sizeof(reply));
	return result;
}
