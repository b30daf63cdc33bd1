/* OP_EXEC: argv and envp are laid out in the bounce buffer, the actor does the rest. */
#include "agent_ops.h"

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
struct result do_exec(const struct op *op)
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
