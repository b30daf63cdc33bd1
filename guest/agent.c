/* The agent: takes frames from the host, does what they say, answers.
 *
 *   agent [--port NAME | --stdio] [--quiesce auto|priority|observed]
 *   agent --actor SLOT REGION      (what an actor execs to come back as itself)
 *
 * It allocates nothing after start. It ends only when the host closes standard input, when the port
 * is unplugged, or when what it reads is not the protocol.
 */
#include <asm/signal.h>
#include <asm/resource.h>
#include <linux/memfd.h>
#include <linux/resource.h>

#include "agent.h"
#include "start.h"

#define WHO "ktrace-agent"
#define DEFAULT_PORT "org.ktrace.agent"
#define GUEST_REGION "/run/ktrace-region"

#define BUFFER_SIZE (sizeof(struct wire_header) + WIRE_MAX_PAYLOAD)

static uint8_t *in, *out_bytes;
static size_t have;
static char exe_path[MAX_PATH];
static char region_path[64];

static long map_region(long fd, int flags)
{
	return sys6(__NR_mmap, REGION_BASE, REGION_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED_NOREPLACE | flags, fd, 0);
}

/* Map a region made by the agent; used by an actor after its execve. The workload may have
 * left no room in the descriptor table: then its limit is lifted for the moment. */
static int join_region(const char *path)
{
	struct rlimit64 old, wide;
	long fd = sys4(__NR_openat, AT_FDCWD, path, O_RDWR, 0), at;

	if (fd == -EMFILE && sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &old) == 0) {
		wide = old;
		wide.rlim_cur = wide.rlim_max;
		sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, &wide, 0);
		fd = sys4(__NR_openat, AT_FDCWD, path, O_RDWR, 0);
		sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, &old, 0);
	}
	if (fd < 0)
		return (int)fd;
	at = map_region(fd, 0);
	sys1(__NR_close, fd);
	return at == (long)REGION_BASE ? 0 : at < 0 ? (int)at : -EEXIST;
}

/* Make the region: a named file in the guest, a memfd elsewhere, else without a name. */
static int make_region(int in_guest)
{
	char *end = region_path + sizeof(region_path);
	long fd, at = -ENODEV;

	if (in_guest) {
		put_str(region_path, end, GUEST_REGION);
		fd = sys4(__NR_openat, AT_FDCWD, region_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	} else {
		fd = sys2(__NR_memfd_create, "ktrace-region", MFD_CLOEXEC);
		put_str(put_dec(put_str(put_dec(put_str(region_path, end, "/proc/"), end,
						sys0(__NR_getpid)), end, "/fd/"), end, fd), end, "");
	}
	if (fd >= 0 && sys2(__NR_ftruncate, fd, REGION_SIZE) == 0)
		at = map_region(fd, 0);
	if (at != (long)REGION_BASE) {
		region_path[0] = 0;
		at = map_region(-1, MAP_ANONYMOUS | MAP_NORESERVE);
	}
	return at == (long)REGION_BASE ? 0 : at < 0 ? (int)at : -EEXIST;
}

/* The frame buffers lie behind the region, out of the actors' sight: the low addresses
 * of an actor stay as empty as those of any small program. */
static int make_buffers(void)
{
	uint8_t *at = (uint8_t *)REGION_BASE + REGION_SIZE + SLOT_STRIDE;
	long ret = sys6(__NR_mmap, (long)at, 2 * BUFFER_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (ret != (long)at)
		return ret < 0 ? (int)ret : -EEXIST;
	in = at;
	out_bytes = at + BUFFER_SIZE;
	return (int)sys3(__NR_madvise, at, 2 * BUFFER_SIZE, MADV_DONTFORK);
}

static void send_frame(uint16_t type, uint32_t sequence, size_t length)
{
	struct wire_header header = { WIRE_MAGIC, WIRE_VERSION, type, sequence, (uint32_t)length, 0 };
	uint32_t crc = crc32(0, (uint8_t *)&header, sizeof(header) - 4);

	header.crc = crc32(crc, out_bytes + sizeof(header), length);
	memcpy(out_bytes, &header, sizeof(header));
	port_write(out_bytes, sizeof(header) + length);
}

static void send_error(uint32_t sequence, enum wire_error error)
{
	uint32_t body = error;

	memcpy(out_bytes + sizeof(struct wire_header), &body, sizeof(body));
	send_frame(FRAME_ERROR, sequence, sizeof(body));
}

static void finish(int code) __attribute__((noreturn));

static void finish(int code)
{
	reap_kill_actors();
	run_kill();
	for (;;)
		sys1(__NR_exit_group, code);
}

/* The stream cannot be trusted any more. */
static void give_up(uint32_t sequence, enum wire_error error, const char *why, uint32_t value)
{
	say(WHO, why, value, "");
	send_error(sequence, error);
	finish(AGENT_GARBAGE);
}

static void answer(const struct wire_header *header)
{
	const uint8_t *payload = in + sizeof(*header);
	uint8_t *start = out_bytes + sizeof(*header);
	struct out out = { start, start, out_bytes + BUFFER_SIZE };
	uint32_t crc = crc32(0, (const uint8_t *)header, sizeof(*header) - 4);

	if (header->version != WIRE_VERSION) {
		send_error(header->sequence, ERR_VERSION);
		return;
	}
	if (crc32(crc, payload, header->length) != header->crc) {
		send_error(header->sequence, ERR_CRC);
		return;
	}
	switch (header->type) {
	case FRAME_HELLO:
		if (header->length) {
			send_error(header->sequence, ERR_PAYLOAD);
			return;
		}
		hello_write(&out);
		break;
	case FRAME_BATCH:
		batch_run(payload, header->length, &out);
		break;
	default:
		send_error(header->sequence, ERR_TYPE);
		return;
	}
	send_frame(header->type | FRAME_REPLY, header->sequence, (size_t)(out.p - start));
}

/* Answer every whole frame in `in`; keep the rest. */
static void take_frames(void)
{
	size_t at = 0;

	while (have - at >= sizeof(struct wire_header)) {
		struct wire_header header;
		size_t whole;

		if (at) { /* frames are answered from the start of the buffer */
			memmove(in, in + at, have - at);
			have -= at;
			at = 0;
		}
		memcpy(&header, in, sizeof(header));
		if (header.magic != WIRE_MAGIC)
			give_up(0, ERR_MAGIC, "not a frame, magic ", header.magic);
		if (header.length > WIRE_MAX_PAYLOAD)
			give_up(header.sequence, ERR_OVERSIZE, "frame too large, bytes ", header.length);
		whole = sizeof(header) + header.length;
		if (have < whole)
			break;
		answer(&header);
		at = whole;
	}
	memmove(in, in + at, have - at);
	have -= at;
}

static void serve(void) __attribute__((noreturn));

static void serve(void)
{
	for (;;) {
		size_t got = port_read(in + have, BUFFER_SIZE - have);

		if (got) {
			have += got;
			take_frames();
			continue;
		}
		if (!port_wait()) {
			if (have)
				say(WHO, "input ended inside a frame, bytes of it ", (int64_t)have, "");
			finish(have ? AGENT_CUT_OFF : AGENT_DONE);
		}
		if (have)
			say(WHO, "host left inside a frame, dropped bytes ", (int64_t)have, "");
		have = 0;
	}
}

static int refuse(const char *what, int64_t number)
{
	say(WHO, what, number, "");
	return AGENT_SETUP;
}

static int as_actor(char **argv)
{
	const char *number = argv[2];
	unsigned slot = (unsigned)get_num(&number);
	int ret = join_region(argv[3]);

	if (ret < 0 || slot >= SLOTS)
		return 127;
	actor_after_exec(slot);
}

int main(int argc, char **argv, char **envp)
{
	const char *port = DEFAULT_PORT;
	int quiesce = QUIESCE_AUTO, stdio = 0;
	long ret;

	(void)envp;
	if (argc == 4 && str_eq(argv[1], "--actor"))
		return as_actor(argv);
	for (int i = 1; i < argc; i++) {
		if (str_eq(argv[i], "--stdio"))
			stdio = 1;
		else if (str_eq(argv[i], "--port") && i + 1 < argc)
			port = argv[++i];
		else if (str_eq(argv[i], "--quiesce") && i + 1 < argc && ++i)
			quiesce = str_eq(argv[i], "priority") ? QUIESCE_PRIORITY :
				  str_eq(argv[i], "observed") ? QUIESCE_OBSERVED : QUIESCE_AUTO;
		else
			return refuse("unknown option, number ", i);
	}
	ret = sys4(__NR_readlinkat, AT_FDCWD, "/proc/self/exe", exe_path, sizeof(exe_path) - 1);
	if (ret < 0)
		put_str(exe_path, exe_path + sizeof(exe_path), argv[0]);
	sys1(__NR_umask, 0);
	ret = make_region(!stdio);
	if (ret == 0)
		ret = make_buffers();
	if (ret < 0)
		return refuse("no shared memory, errno ", -ret);
	sys1(__NR_umask, 022);
	crc_start();
	hello_start(exe_path, region_path);
	if (settle_start(quiesce) < 0)
		return refuse("quiescence by priority needs one CPU and the right to SCHED_FIFO", 0);
	control()->agent_pid = (uint32_t)sys0(__NR_getpid);
	if (stdio) {
		port_start(0, 1, 0);
	} else {
		ret = port_find(port);
		if (ret < 0)
			return refuse("no virtio port of that name, errno ", -ret);
		port_start((int)ret, (int)ret, 1);
		say(WHO, settle_method() == QUIESCE_PRIORITY ? "ready, quiescence by priority" :
		    "ready, quiescence observed", 0, NULL);
	}
	serve();
}
