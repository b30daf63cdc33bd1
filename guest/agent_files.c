/* Files read and written by the agent itself: /proc/sysvipc, sysctls, tracefs. */
#include "agent_ops.h"

#define WRITE_CREATE 1
#define WRITE_TRUNCATE 2
#define WRITE_APPEND 4

static int copy_path(char *path, const uint8_t *from, size_t length)
{
	if (!length || length >= MAX_PATH)
		return 0;
	memcpy(path, from, length);
	path[length] = 0;
	return str_len(path) == length;
}

static long read_all(long fd, uint8_t *to, size_t limit, int *at_end)
{
	size_t n = 0;

	*at_end = 0;
	while (n < limit) {
		long got = sys3(__NR_read, fd, to + n, limit - n);

		if (got == -EINTR)
			continue;
		if (got <= 0 && got != -EAGAIN && !(got < 0 && n == 0))
			*at_end = 1;
		if (got < 0 && n == 0 && got != -EAGAIN)
			return got;
		if (got == -EAGAIN)
			*at_end = 1; /* nothing more for now */
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return (long)n;
}

/* Body: offset u64, limit u32, path. Event: result i64, data; count 1 at the end of the file. */
struct result files_read(const uint8_t *body, size_t length, struct out *out, struct wire_report *report)
{
	char path[MAX_PATH];
	uint64_t offset;
	uint32_t limit;
	uint8_t *event = out->p, *data;
	int at_end = 1;
	long fd;
	int64_t ret;

	if (length < 12)
		return FAIL(ERR_PAYLOAD);
	memcpy(&offset, body, 8);
	memcpy(&limit, body + 8, 4);
	if (!copy_path(path, body + 12, length - 12))
		return FAIL(ERR_PAYLOAD);
	if (limit > WIRE_MAX_EVENT)
		return FAIL(ERR_RANGE);
	data = event + sizeof(struct wire_event_header) + sizeof(ret);
	fd = sys4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	ret = fd;
	if (fd >= 0) {
		ret = offset ? sys3(__NR_lseek, fd, offset, 0) : 0;
		if (ret >= 0)
			ret = read_all(fd, data, limit, &at_end);
		sys1(__NR_close, fd);
	}
	data = report_event(out, report, EVENT_FILE, NO_SLOT, (unsigned)at_end,
			    sizeof(ret) + (ret > 0 ? (uint32_t)ret : 0));
	memcpy(data, &ret, sizeof(ret));
	return OK;
}

static int64_t write_all(long fd, const uint8_t *from, size_t length)
{
	size_t n = 0;

	do {
		long put = sys3(__NR_write, fd, from + n, length - n);

		if (put == -EINTR)
			continue;
		if (put < 0)
			return put;
		n += (size_t)put;
		if (!put)
			break;
	} while (n < length);
	return (int64_t)n;
}

/* Body: offset u64, flags u32, mode u32, path length u16, path, data. Event: result i64. */
struct result files_write(const uint8_t *body, size_t length, struct out *out, struct wire_report *report)
{
	char path[MAX_PATH];
	uint64_t offset;
	uint32_t flags, mode;
	uint16_t path_length;
	int open_flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int64_t ret;
	uint8_t *event;
	long fd;

	if (length < 18)
		return FAIL(ERR_PAYLOAD);
	memcpy(&offset, body, 8);
	memcpy(&flags, body + 8, 4);
	memcpy(&mode, body + 12, 4);
	memcpy(&path_length, body + 16, 2);
	if (path_length > length - 18 || !copy_path(path, body + 18, path_length))
		return FAIL(ERR_PAYLOAD);
	open_flags |= flags & WRITE_CREATE ? O_CREAT : 0;
	open_flags |= flags & WRITE_TRUNCATE ? O_TRUNC : 0;
	open_flags |= flags & WRITE_APPEND ? O_APPEND : 0;
	fd = sys4(__NR_openat, AT_FDCWD, path, open_flags, mode);
	ret = fd;
	if (fd >= 0) {
		ret = offset ? sys3(__NR_lseek, fd, offset, 0) : 0;
		if (ret >= 0)
			ret = write_all(fd, body + 18 + path_length, length - 18 - path_length);
		sys1(__NR_close, fd);
	}
	event = report_event(out, report, EVENT_FILE, NO_SLOT, 1, sizeof(ret));
	memcpy(event, &ret, sizeof(ret));
	return OK;
}
