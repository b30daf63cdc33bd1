/* Children that have ended, stopped or continued: actors, to be reported, and one that is no actor. */
#include <asm/signal.h>
#include <linux/wait.h>

#include "agent.h"

#define WNOHANG_ALL (WNOHANG | WUNTRACED | WCONTINUED | __WALL)

struct death deaths[SLOTS]; /* not yet reported, in the order of the kernel's list of children */
unsigned death_count;

/* Who was stopped or continued and is not yet reported; as with wait4(2), the last such change counts. */
int32_t job_status[SLOTS];
uint64_t job_slots;

/* The child that is no actor: a command that somebody waits for. */
static struct {
	int pid; /* 0: none, or collected */
	int ended;
	int status;
} expected;

static int slot_of(long pid)
{
	for_each_slot(slot, live_slots)
		if (slots[slot].pid == pid)
			return (int)slot;
	return -1;
}

static void note(long pid, int status)
{
	int slot = slot_of(pid), lives = (status & 0xff) == 0x7f || status == 0xffff;

	if (slot >= 0 && lives && slots[slot].traced && status != 0xffff) {
		traced_note_slot((unsigned)slot, status);
	} else if (slot >= 0 && lives) {
		job_status[slot] = status;
		job_slots |= 1ull << slot;
	} else if (slot >= 0) {
		job_slots &= ~(1ull << slot);
		deaths[death_count++] = (struct death){ slot, status };
	} else if (traced_any()) {
		traced_note((int)pid, status);
	}
	if (slot < 0 && pid == expected.pid && !lives) {
		expected.ended = 1;
		expected.status = status;
	}
}

/* Ask what became of the children; how many deaths of actors await their report. */
unsigned reap_children(void)
{
	for_each_slot(slot, forking_slots)
		slot_adopt(slot); /* so that a child that is dead already is known */
	if (!settle_child_died())
		return death_count;
	for (;;) {
		int status = 0;
		long pid;

		if (traced_is_full()) {
			settle_child_may_have_died(); /* the rest comes with the next report */
			return death_count;
		}
		pid = sys4(__NR_wait4, -1, &status, WNOHANG_ALL, 0);
		if (pid <= 0)
			return death_count;
		note(pid, status);
	}
}

/* Keep this child's status for who asks with reap_expected(). */
void reap_expect(int pid)
{
	expected.pid = pid;
	expected.ended = 0;
}

/* Has the expected child ended? True once, with its wait status. */
int reap_expected(int *status)
{
	if (!expected.pid || !expected.ended)
		return 0;
	*status = expected.status;
	expected.pid = 0;
	return 1;
}

/* Wait for one child's end, whatever signals come meanwhile. */
void reap_child(int pid)
{
	while (sys4(__NR_wait4, pid, 0, __WALL, 0) == -EINTR)
		;
}

/* Take the deaths whose report is written from the list. */
void reap_forget_reported(void)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < death_count; i++)
		if (deaths[i].slot >= 0)
			deaths[kept++] = deaths[i];
	death_count = kept;
}

/* Leave nothing behind: kill every actor and wait for each. */
void reap_kill_actors(void)
{
	for_each_slot(slot, live_slots)
		sys2(__NR_kill, slots[slot].pid, SIGKILL);
	for_each_slot(slot, live_slots)
		reap_child(slots[slot].pid);
	live_slots = 0;
}
