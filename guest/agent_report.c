/* Reports: what happened in a step, in the order in which it happened. */
#include "agent.h"

static uint32_t lost_reported;

/* Is there anything that a report would tell? */
int report_pending(void)
{
	struct control *c = control();

	return reap_children() || job_slots || traced_pending() ||
	       __atomic_load_n(&c->head, __ATOMIC_ACQUIRE) != c->tail;
}

static void read_clock(int64_t *sec, uint32_t *nsec)
{
	struct timespec64 ts;

	/* The coarse clock: what ktime_get_real_seconds() stamps objects with. */
	sys2(__NR_clock_gettime, CLOCK_REALTIME_COARSE, &ts);
	*sec = ts.sec;
	*nsec = (uint32_t)ts.nsec;
}

void report_begin(struct out *out, struct wire_report *report)
{
	memset(report, 0, sizeof(*report));
	read_clock(&report->before_sec, &report->before_nsec);
	out->p += sizeof(*report);
}

/* Reserve an event with a body of `length` bytes; NULL when there is no room. */
uint8_t *report_event(struct out *out, struct wire_report *report, unsigned kind, unsigned slot,
		      unsigned count, uint32_t length)
{
	struct wire_event_header header = { (uint8_t)kind, (uint8_t)slot, (uint16_t)count, length };
	uint8_t *body = out->p + sizeof(header);

	if ((size_t)(out->end - out->p) < sizeof(header) + length)
		return NULL;
	memcpy(out->p, &header, sizeof(header));
	out->p = body + length;
	report->events++;
	return body;
}

static uint32_t load_length(const struct wire_load *load, int64_t ret)
{
	uint64_t want;

	if (load->bound == LOAD_ALWAYS)
		return load->length;
	if (ret < 0 && ret >= -4095)
		return 0;
	if (load->bound == LOAD_OK)
		return load->length;
	if ((uint64_t)ret > WIRE_MAX_EVENT)
		return load->length;
	want = (uint64_t)ret * load->scale + load->extra;
	return want < load->length ? (uint32_t)want : load->length;
}

static int put_completed(struct out *out, struct wire_report *report, unsigned slot, int64_t ret)
{
	struct slot *s = &slots[slot];
	uint32_t length = sizeof(ret);
	uint8_t *p;

	for (unsigned i = 0; i < s->load_count; i++)
		length += 4 + load_length(&s->loads[i], ret);
	p = report_event(out, report, EVENT_COMPLETED, slot, s->load_count, length);
	if (!p)
		return 0;
	memcpy(p, &ret, sizeof(ret));
	p += sizeof(ret);
	for (unsigned i = 0; i < s->load_count; i++) {
		uint32_t size = load_length(&s->loads[i], ret);

		memcpy(p, &size, 4);
		memcpy(p + 4, (void *)s->loads[i].addr, size);
		p += 4 + size;
	}
	if (s->pending == OP_FORK && ret < 0)
		slot_clear(s->child);
	slot_set_pending(slot, 0);
	s->load_count = 0;
	return 1;
}

static int put_signalled(struct out *out, struct wire_report *report, const struct ring_event *e)
{
	struct wire_signalled body = {
		e->signo, e->code, e->error, e->pid, e->uid, e->fd, e->band, e->value,
	};
	uint8_t *p = report_event(out, report, EVENT_SIGNALLED, e->slot, 0, sizeof(body));

	if (p)
		memcpy(p, &body, sizeof(body));
	return p != NULL;
}

static int put_number(struct out *out, struct wire_report *report, unsigned kind, unsigned slot,
		      int32_t number)
{
	uint8_t *p = report_event(out, report, kind, slot, 0, sizeof(number));

	if (p)
		memcpy(p, &number, sizeof(number));
	return p != NULL;
}

static int put_ring_event(struct out *out, struct wire_report *report, const struct ring_event *e)
{
	switch (e->kind) {
	case EVENT_COMPLETED:
		return put_completed(out, report, e->slot, e->ret);
	case EVENT_SIGNALLED:
		return put_signalled(out, report, e);
	case EVENT_SPAWNED:
		if (slots[e->slot].pending == OP_SPAWN)
			slot_set_pending(e->slot, 0);
		if (!slots[e->slot].pid) /* its parent died before it could tell */
			slot_set_pid(e->slot, mailbox(e->slot)->own_pid);
		return put_number(out, report, EVENT_SPAWNED, e->slot, slots[e->slot].pid);
	default: /* its actor was killed while writing it */
		report->lost++;
		return 1;
	}
}

static int put_death(struct out *out, struct wire_report *report, struct death *death)
{
	unsigned slot = (unsigned)death->slot;

	if (!put_number(out, report, EVENT_EXITED, slot, death->status))
		return 0;
	if (slots[slot].pending == OP_FORK && mailbox(slots[slot].child)->birth != BIRTH_DONE)
		slot_clear(slots[slot].child);
	slot_set_pid(slot, 0);
	slot_set_pending(slot, 0);
	slots[slot].load_count = 0;
	mailbox(slot)->state = ACTOR_FREE;
	death->slot = -1;
	return 1;
}

/* Deaths have no entry in the ring. The subject's own stands behind the last thing
 * it did, before what its death set off; any other stands at the end. */
static uint32_t place_of(const struct death *death, uint32_t tail, uint32_t head, unsigned subject)
{
	struct control *c = control();
	uint32_t place = (unsigned)death->slot == subject ? tail : head;

	if ((unsigned)death->slot == subject)
		for (uint32_t i = tail; i != head; i++)
			if (c->ring[i % RING_SIZE].slot == subject)
				place = i + 1;
	return place;
}

static int put_deaths_at(uint32_t place, const uint32_t *places, struct out *out, struct wire_report *report)
{
	for (unsigned d = 0; d < death_count; d++)
		if (places[d] == place && deaths[d].slot >= 0 && !put_death(out, report, &deaths[d]))
			return 0;
	return 1;
}

/* Who was stopped or continued: behind all that they did. */
static void put_jobs(struct out *out, struct wire_report *report)
{
	for_each_slot(slot, job_slots)
		if (put_number(out, report, EVENT_JOB, slot, job_status[slot]))
			job_slots &= ~(1ull << slot);
}

/* What became of traced tasks; 0 where some has no room. */
static int put_traced(struct out *out, struct wire_report *report)
{
	while (traced_pending()) {
		uint8_t *p = report_event(out, report, EVENT_TRACED, NO_SLOT, 0, sizeof(struct wire_traced));
		struct wire_traced body;

		if (!p)
			return 0;
		traced_tell(&body);
		memcpy(p, &body, sizeof(body));
		traced_forget();
	}
	return 1;
}

/* Move what the ring and the deaths tell into the report, as far as there is room. */
static void put_events(struct out *out, struct wire_report *report, unsigned subject)
{
	struct control *c = control();
	uint32_t head = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE), i = c->tail;
	uint32_t places[SLOTS];

	for (unsigned d = 0; d < death_count; d++)
		places[d] = place_of(&deaths[d], i, head, subject);
	while (put_deaths_at(i, places, out, report)) {
		struct ring_event *event = &c->ring[i % RING_SIZE];

		if (i == head || !put_ring_event(out, report, event))
			break;
		event->kind = 0;
		i++;
	}
	__atomic_store_n(&c->tail, i, __ATOMIC_RELEASE);
	if (death_count)
		reap_forget_reported();
	if (i == head && !death_count)
		put_jobs(out, report);
	if (i != head || death_count || job_slots || !put_traced(out, report))
		report->flags |= REPORT_MORE;
}

/* Gather the events and fill in the report at `header`. */
void report_end(struct out *out, uint8_t *header, struct wire_report *report, unsigned subject,
		uint64_t unsettled)
{
	uint32_t lost;

	reap_children();
	put_events(out, report, subject);
	lost = __atomic_load_n(&control()->lost, __ATOMIC_RELAXED);
	report->lost += lost - lost_reported;
	lost_reported = lost;
	report->live = live_slots;
	report->blocked = slots_blocked();
	report->unsettled = unsettled & report->live;
	read_clock(&report->after_sec, &report->after_nsec);
	memcpy(header, report, sizeof(*report));
}
