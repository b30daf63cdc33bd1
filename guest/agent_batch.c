/* Batches: decode operations, have each done, let the guest come to rest, report. */
#include "agent_ops.h"

static struct result check_slot(const struct op *op)
{
	if (op->code >= OP_READ_FILE && op->code != OP_TRACE)
		return op->slot == NO_SLOT ? OK : FAIL(ERR_SLOT);
	if (op->slot >= SLOTS)
		return FAIL(ERR_SLOT);
	if (op->code == OP_SPAWN)
		return slot_is_free(op->slot) ? OK : FAIL(ERR_LIVE);
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
	case OP_RUN_STREAM:
		return run_stream(op->body, op->length, out, report);
	case OP_TRACE:
		return trace_slot(op);
	case OP_RESUME:
		return trace_resume(op->body, op->length);
	case OP_PEEK:
		return trace_peek(op->body, op->length, out, report);
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
	if (op->code < OP_SPAWN || op->code > OP_RUN_STREAM)
		return FAIL(ERR_OP);
	report_begin(out, &report);
	result = perform(op, out, &report);
	if (result.error) {
		out->p = header;
		return result;
	}
	report_end(out, header, &report, op->slot, settle(run_is_running() && !traced_any()));
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
