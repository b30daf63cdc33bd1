/* What the agent's source files know of each other. */
#ifndef KTRACE_AGENT_H
#define KTRACE_AGENT_H

#include "shared.h"
#include "sys.h"
#include "wire.h"

#define ACTOR_PRIORITY 10
#define SETTLE_DEADLINE_NS 5000000000ll

enum exit_code {
	AGENT_DONE = 0, /* end of input between two frames */
	AGENT_GARBAGE = 3, /* the host does not speak the protocol */
	AGENT_CUT_OFF = 4, /* end of input inside a frame */
	AGENT_SETUP = 5, /* the agent could not start */
};

enum quiescence { QUIESCE_AUTO = 0, QUIESCE_PRIORITY = 1, QUIESCE_OBSERVED = 2 };

#define KERNEL_SIGSET 8 /* bytes of the kernel's sigset_t */

struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

/* agent_actor.c: the actors' own code */
void signal_return(void);
void actor_enter(unsigned slot) __attribute__((noreturn));
void actor_after_exec(unsigned slot) __attribute__((noreturn));
long clone_onto(unsigned long flags, void *top, void (*entry)(unsigned), unsigned slot);

/* agent_slots.c: the agent's view of its actors */
struct slot {
	int32_t pid; /* 0: no actor */
	uint8_t pending; /* OP_* not yet completed, 0: none */
	uint8_t child; /* of a pending OP_FORK */
	uint8_t load_count; /* of a pending OP_CALL */
	uint8_t touched; /* the arena may hold something */
	uint8_t traced; /* it becomes a program at its execve */
	struct wire_load loads[MAX_LOADS];
};

extern struct slot slots[SLOTS];
extern uint64_t live_slots; /* bit N: slots[N].pid is set */
extern uint64_t forking_slots; /* bit N: slot N's OP_FORK is not yet completed */

/* Run the body once for each slot of a set. */
#define for_each_slot(slot, set)                                                                     \
	for (uint64_t rest_ = (set), once_; rest_; rest_ &= rest_ - 1)                                 \
		for (unsigned slot = (once_ = 1, (unsigned)__builtin_ctzll(rest_)); once_; once_ = 0)

void slot_set_pid(unsigned slot, int32_t pid);
void slot_set_pending(unsigned slot, unsigned op);
int slot_is_free(unsigned slot);
void slot_clear(unsigned slot);
void slot_issue(unsigned slot, unsigned op);
void slot_adopt(unsigned slot);
long slot_spawn(unsigned slot);
uint64_t slots_blocked(void);

/* agent_settle.c: quiescence */
int settle_start(int wanted);
int settle_method(void);
unsigned settle_cpus(void);
int settle_child_died(void);
void settle_child_may_have_died(void);
void settle_actor(int pid);
uint64_t settle(int command_runs);
void settle_let_others(int64_t ns);
void settle_listen(uint64_t timeout_ns, int (*satisfied)(void));

/* agent_reap.c: children that have ended, stopped or continued */
struct death {
	int32_t slot; /* -1: reported */
	int32_t status;
};

extern struct death deaths[SLOTS];
extern unsigned death_count;
extern int32_t job_status[SLOTS]; /* as wait4(2) gives it, of job_slots */
extern uint64_t job_slots;

unsigned reap_children(void);
void reap_expect(int pid);
int reap_expected(int *status);
void reap_child(int pid);
void reap_forget_reported(void);
void reap_kill_actors(void);

/* agent_report.c: events and reports */
struct out {
	uint8_t *start, *p, *end;
};

int report_pending(void);
void report_begin(struct out *out, struct wire_report *report);
void report_end(struct out *out, uint8_t *header, struct wire_report *report, unsigned subject,
		uint64_t unsettled);
uint8_t *report_event(struct out *out, struct wire_report *report, unsigned kind, unsigned slot,
		      unsigned count, uint32_t length);

/* agent_batch.c: operations */
struct result {
	uint16_t error; /* enum wire_error */
	int32_t detail;
};

struct result batch_run(const uint8_t *payload, size_t length, struct out *out);

/* agent_files.c: files and commands, on the agent's own account */
struct result files_read(const uint8_t *body, size_t length, struct out *out, struct wire_report *report);
struct result files_write(const uint8_t *body, size_t length, struct out *out, struct wire_report *report);

/* agent_run.c: a command outside the actors */
struct result run_start(const uint8_t *body, size_t length, struct out *out, struct wire_report *report);
struct result run_poll(const uint8_t *body, size_t length, struct out *out, struct wire_report *report);
struct result run_stream(const uint8_t *body, size_t length, struct out *out, struct wire_report *report);
int run_is_running(void);
void run_kill(void);

enum run_state { RUN_NONE = 0, RUN_RUNNING = 1, RUN_ENDED = 2 };

/* agent_stream.c: its standard input and output */
long stream_open(void);
long stream_give(void);
void stream_let_finish(void);
void stream_started(void);
void stream_close(void);
struct result stream_pump(const uint8_t *body, size_t length, struct out *out, struct wire_report *report,
			  int (*runs)(void), const int *status, const int *state);

/* agent_traced.c: what became of traced tasks */
int traced_any(void);
void traced_begin(void);
void traced_limit_slice(int pid);
void traced_note(int pid, int status);
void traced_note_slot(unsigned slot, int status);
int traced_is_full(void);
int traced_pending(void);
void traced_tell(struct wire_traced *body);
void traced_forget(void);

/* agent_hello.c: who and where we are */
void hello_start(const char *exe_path, const char *region_path);
const char *hello_exe(void);
const char *hello_region(void);
void hello_write(struct out *out);

/* agent_port.c: the byte stream to the host */
void port_start(int in, int out, int is_virtio);
int port_find(const char *name);
size_t port_read(uint8_t *to, size_t room);
int port_wait(void);
void port_write(const uint8_t *from, size_t length);

/* agent_crc.c */
void crc_start(void);
uint32_t crc32(uint32_t crc, const uint8_t *data, size_t length);

#endif
