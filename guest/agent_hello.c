/* HELLO: who the agent is, where it runs, and where its actors' arenas lie. */
#include <linux/elf.h>
#include <linux/utsname.h>

#include "agent.h"

#define NT_GNU_BUILD_ID 3
#define FLAG_EXEC 1 /* actors can exec the agent: the region has a name */

static const char *exe;
static const char *region;

void hello_start(const char *exe_path, const char *region_path)
{
	exe = exe_path;
	region = region_path;
}

const char *hello_exe(void)
{
	return exe;
}

const char *hello_region(void)
{
	return region;
}

static void put_bytes(struct out *out, const void *from, size_t length)
{
	uint16_t n = (uint16_t)length;

	memcpy(out->p, &n, 2);
	memcpy(out->p + 2, from, n);
	out->p += 2 + n;
}

static void put_text(struct out *out, const char *text)
{
	put_bytes(out, text, str_len(text));
}

/* The build-id among the kernel's own ELF notes; its length, or 0. */
static size_t find_build_id(const char *notes, long size, const char **id)
{
	const long header = sizeof(struct elf64_note);

	for (long at = 0; at + header <= size;) {
		struct elf64_note note;
		long name = at + header, data;

		memcpy(&note, notes + at, sizeof(note));
		data = name + ((note.n_namesz + 3l) & ~3l);
		at = data + ((note.n_descsz + 3l) & ~3l);
		if (at > size)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(notes + name, "GNU", 4)) {
			*id = notes + data;
			return note.n_descsz;
		}
	}
	return 0;
}

/* "0x1234 1000": physical address and size, in hexadecimal. */
static void find_vmcoreinfo(uint64_t *address, uint64_t *size)
{
	char text[64], *middle = text;
	char second[32] = "0x";
	const char *p = text, *q = second;

	*address = *size = 0;
	if (slurp("/sys/kernel/vmcoreinfo", text, sizeof(text)) <= 0)
		return;
	while (*middle && *middle != ' ')
		middle++;
	if (!*middle)
		return;
	put_str(second + 2, second + sizeof(second), middle + 1);
	*address = get_num(&p);
	*size = get_num(&q);
}

/* What cannot change while the kernel runs. Asked for once, so before a template
 * is saved: a clone's first answer needs none of these ways through the kernel. */
static struct {
	int asked;
	uint64_t vmcoreinfo_address, vmcoreinfo_size;
	char id[64];
	size_t id_length;
	char boot_id[36];
	size_t boot_id_length;
} known;

static void learn(void)
{
	char text[2048];
	const char *id = "";
	long size;

	if (known.asked)
		return;
	known.asked = 1;
	find_vmcoreinfo(&known.vmcoreinfo_address, &known.vmcoreinfo_size);
	size = slurp("/sys/kernel/notes", text, sizeof(text));
	known.id_length = find_build_id(text, size, &id);
	if (known.id_length > sizeof(known.id))
		known.id_length = 0;
	memcpy(known.id, id, known.id_length);
	size = slurp("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	known.boot_id_length = size >= 36 ? 36 : 0;
	memcpy(known.boot_id, text, known.boot_id_length);
}

struct hello {
	uint16_t version;
	uint16_t slots;
	uint32_t page_size;
	uint64_t arena_base;
	uint64_t arena_stride;
	uint64_t arena_size;
	uint64_t vmcoreinfo_address;
	uint64_t vmcoreinfo_size;
	uint64_t live;
	uint64_t blocked;
	uint32_t max_payload;
	uint32_t max_event;
	uint32_t max_copy;
	int32_t agent_pid;
	uint16_t quiescence;
	uint16_t flags;
	uint16_t cpus;
	uint16_t zero;
};

_Static_assert(sizeof(struct hello) == 88, "no padding on the wire");

void hello_write(struct out *out)
{
	struct new_utsname uts;
	struct hello hello = {
		.version = WIRE_VERSION,
		.slots = SLOTS,
		.page_size = 4096,
		.arena_base = ARENA_BASE,
		.arena_stride = SLOT_STRIDE,
		.arena_size = ARENA_SIZE,
		.live = live_slots,
		.blocked = slots_blocked(),
		.max_payload = WIRE_MAX_PAYLOAD,
		.max_event = WIRE_MAX_EVENT,
		.max_copy = BOUNCE_SIZE,
		.agent_pid = (int32_t)sys0(__NR_getpid),
		.quiescence = (uint16_t)settle_method(),
		.flags = region[0] ? FLAG_EXEC : 0,
		.cpus = (uint16_t)settle_cpus(),
	};

	learn();
	hello.vmcoreinfo_address = known.vmcoreinfo_address;
	hello.vmcoreinfo_size = known.vmcoreinfo_size;
	memcpy(out->p, &hello, sizeof(hello));
	out->p += sizeof(hello);
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		memcpy(out->p, &slots[slot].pid, 4);
		out->p += 4;
	}
	sys1(__NR_uname, &uts);
	put_text(out, uts.sysname);
	put_text(out, uts.release);
	put_text(out, uts.version);
	put_text(out, uts.machine);
	put_bytes(out, known.id, known.id_length);
	put_bytes(out, known.boot_id, known.boot_id_length);
	put_text(out, exe);
}
