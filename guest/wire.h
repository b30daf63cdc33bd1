/* The wire protocol: numbers that ktrace/agent/protocol.py must match.
 * The layout is described in docs/protocol.md. All little-endian.
 */
#ifndef KTRACE_WIRE_H
#define KTRACE_WIRE_H

#include <stdint.h>

#define WIRE_MAGIC 0x4741544bu /* "KTAG" */
#define WIRE_VERSION 1
#define WIRE_MAX_PAYLOAD (4u << 20)
#define WIRE_MAX_EVENT (1u << 20) /* loads of one call, data of one file read */

struct wire_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t sequence;
	uint32_t length;
	uint32_t crc; /* CRC-32 of the 16 bytes before it and of the payload */
} __attribute__((packed));

enum wire_type {
	FRAME_HELLO = 1,
	FRAME_BATCH = 2,
	FRAME_REPLY = 0x8000, /* added to the type that is answered */
	FRAME_ERROR = 0xffff,
};

/* Errors of a frame (in FRAME_ERROR) and of an operation (in a batch's reply). */
enum wire_error {
	ERR_NONE = 0,
	ERR_MAGIC = 1, /* fatal: the agent ends */
	ERR_OVERSIZE = 2, /* fatal: the agent ends */
	ERR_VERSION = 3,
	ERR_CRC = 4,
	ERR_TYPE = 5,
	ERR_PAYLOAD = 6, /* lengths inside the payload disagree */
	ERR_OP = 7, /* unknown operation, or a call that only an operation may make */
	ERR_SLOT = 8, /* no such slot */
	ERR_DEAD = 9, /* no actor in this slot */
	ERR_LIVE = 10, /* slot is in use */
	ERR_BLOCKED = 11, /* the actor is inside an unfinished call */
	ERR_RANGE = 12, /* address outside the arenas, or too much data */
	ERR_ROOM = 13, /* no room left in the reply: send the rest again */
	ERR_HOST = 14, /* the agent's own system call failed; detail is its errno */
};

enum wire_op {
	OP_SPAWN = 1,
	OP_FORK = 2,
	OP_CALL = 3,
	OP_COPY_IN = 4,
	OP_COPY_OUT = 5,
	OP_EXIT = 6,
	OP_KILL = 7,
	OP_EXEC = 8,
	OP_SIGACTION = 9,
	OP_READ_FILE = 10,
	OP_WRITE_FILE = 11,
	OP_WAIT = 12,
	OP_RUN = 13,
	OP_RUN_POLL = 14,
	OP_RUN_STREAM = 18,
	OP_TRACE = 15,
	OP_RESUME = 16,
	OP_PEEK = 17,
};

#define NO_SLOT 0xff

struct wire_op_header {
	uint8_t op;
	uint8_t slot; /* NO_SLOT where the operation has none */
	uint16_t zero;
	uint32_t length; /* of the body that follows */
} __attribute__((packed));

enum load_bound { LOAD_ALWAYS = 0, LOAD_OK = 1, LOAD_RET = 2 };

struct wire_load {
	uint64_t addr;
	uint32_t length;
	uint8_t bound; /* enum load_bound */
	uint8_t zero;
	uint16_t scale; /* LOAD_RET: min(length, ret * scale + extra) */
	uint32_t extra;
} __attribute__((packed));

#define UNWRITTEN 0xb7 /* in every byte that a call may write, before it is made */
#define MAX_LOADS 32
#define MAX_STORES 64
#define MAX_PATH 4096
#define WIRE_MAX_WAIT_NS 1000000000000000ull

enum disposition { DISP_DFL = 0, DISP_IGN = 1, DISP_RECORD = 2, DISP_RECORD_RESTART = 3 };

/* A batch's reply: this, then the reports. */
struct wire_batch_reply {
	uint32_t reports;
	uint16_t error; /* enum wire_error of operation number `reports` */
	uint16_t zero;
	int32_t detail;
} __attribute__((packed));

#define REPORT_MORE 1 /* events were left for the next report */

struct wire_report {
	int64_t before_sec;
	int64_t after_sec;
	uint32_t before_nsec;
	uint32_t after_nsec;
	uint64_t live;
	uint64_t blocked;
	uint64_t unsettled; /* still running when the deadline came (observed method only) */
	uint32_t lost; /* signals not recorded since the last report */
	uint16_t flags;
	uint16_t events;
};

_Static_assert(sizeof(struct wire_report) == 56, "no padding on the wire");

enum event_kind {
	EVENT_SPAWNED = 1,
	EVENT_COMPLETED = 2,
	EVENT_SIGNALLED = 3,
	EVENT_EXITED = 4,
	EVENT_FILE = 5,
	EVENT_RUN = 6,
	EVENT_JOB = 7, /* stopped or continued: wait status */
	EVENT_STREAM = 9, /* a command's standard input, output and error were moved */
	EVENT_TRACED = 8, /* a traced program's task stopped or ended */
};

struct wire_event_header {
	uint8_t kind;
	uint8_t slot;
	uint16_t count; /* EVENT_COMPLETED: number of loads; EVENT_FILE: 1 at the end of the file */
	uint32_t length;
} __attribute__((packed));

struct wire_signalled {
	int32_t signo;
	int32_t code;
	int32_t error;
	int32_t pid;
	uint32_t uid;
	int32_t fd;
	int64_t band;
	uint64_t value;
} __attribute__((packed));

struct wire_stream {
	int64_t taken; /* bytes for standard input; -EPIPE: nobody reads them */
	int32_t status; /* of the command, as wait4(2) gives it */
	int32_t state; /* enum run_state */
	uint32_t drained; /* there was no more output */
	uint32_t out_length; /* of standard output, which follows; then standard error */
} __attribute__((packed));

enum traced_kind {
	TRACED_OTHER = 0, /* ended, or stopped by a signal's default action */
	TRACED_ENTRY = 1, /* numbers: system call, its six arguments */
	TRACED_EXIT = 2, /* numbers: what it returned */
	TRACED_EVENT = 3, /* PTRACE_EVENT_*, in the wait status; numbers: its message */
	TRACED_SIGNAL = 4, /* about to be delivered; numbers: si_signo, si_code, si_pid, si_uid, si_value */
};

struct wire_traced {
	int32_t pid;
	int32_t status; /* as wait4(2) gives it */
	uint32_t kind; /* enum traced_kind */
	uint32_t zero;
	uint64_t numbers[7];
} __attribute__((packed));

#endif
