/* The byte stream to the host: a virtio-serial port, or standard input and output.
 *
 * A port whose host end is not connected reads as end of file and polls as
 * hung up at once; the agent then sleeps until the kernel signals a change
 * (SIGIO) or a short time has passed, and tries again. It never ends for that.
 */
#include <asm/signal.h>
#include <asm/poll.h>
#include <linux/fcntl.h>

#include "agent.h"

#define PORT_DEADLINE_NS 10000000000ll
#define PORT_NODE "/run/ktrace-port"
#define RECONNECT_NS 500000000ll

static int in_fd, out_fd, virtio;

void port_start(int in, int out, int is_virtio)
{
	in_fd = in;
	out_fd = out;
	virtio = is_virtio;
}

struct dirent64 {
	uint64_t ino;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

static int is_named(const char *port, const char *attribute, char *text, size_t size)
{
	char path[320];
	const char *end = path + sizeof(path);
	long n;

	put_str(put_str(put_str(put_str(path, end, "/sys/class/virtio-ports/"), end, port), end, "/"), end,
		attribute);
	n = slurp(path, text, size);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = 0;
	return n > 0;
}

/* Open the port of that name through its device number; fd or -errno. */
static int try_port(const char *name)
{
	char entries[2048] __attribute__((aligned(8))), text[64];
	long dir = sys4(__NR_openat, AT_FDCWD, "/sys/class/virtio-ports", O_RDONLY | O_CLOEXEC, 0), size;

	if (dir < 0)
		return (int)dir;
	while ((size = sys3(__NR_getdents64, dir, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < size; at += ((struct dirent64 *)(entries + at))->length) {
			const char *port = ((struct dirent64 *)(entries + at))->name, *p = text;
			uint64_t major, minor;

			if (port[0] == '.' || !is_named(port, "name", text, sizeof(text)) ||
			    !str_eq(text, name) || !is_named(port, "dev", text, sizeof(text)))
				continue;
			sys1(__NR_close, dir);
			major = get_num(&p);
			p++;
			minor = get_num(&p);
			sys1(__NR_unlink, PORT_NODE);
			size = sys3(__NR_mknod, PORT_NODE, S_IFCHR | 0600,
				    (major & 0xfff) << 8 | (minor & 0xff) | (minor & ~0xffull) << 12);
			if (size < 0)
				return (int)size;
			return (int)sys4(__NR_openat, AT_FDCWD, PORT_NODE, O_RDWR | O_CLOEXEC, 0);
		}
	}
	sys1(__NR_close, dir);
	return -ENODEV;
}

/* Find and open the named port, which the host may announce a little after boot. */
int port_find(const char *name)
{
	int64_t deadline = now_ns(CLOCK_MONOTONIC) + PORT_DEADLINE_NS;
	int fd;

	while ((fd = try_port(name)) < 0 && now_ns(CLOCK_MONOTONIC) < deadline)
		nap_ns(2000000);
	return fd;
}

/* Sleep until the host end may have changed. */
static void wait_for_host(void)
{
	uint64_t sigio = 1ull << (SIGIO - 1);
	struct timespec64 ts = { 0, RECONNECT_NS };
	struct pollfd state = { in_fd, POLLIN, 0 };
	long flags = sys3(__NR_fcntl, in_fd, F_GETFL, 0);

	sys4(__NR_rt_sigprocmask, SIG_BLOCK, &sigio, 0, KERNEL_SIGSET);
	sys3(__NR_fcntl, in_fd, F_SETOWN, sys0(__NR_getpid));
	sys3(__NR_fcntl, in_fd, F_SETFL, flags | FASYNC);
	sys3(__NR_poll, &state, 1, 0);
	if (state.revents & POLLHUP) /* still, now that a change would be signalled */
		sys4(__NR_rt_sigtimedwait, &sigio, 0, &ts, KERNEL_SIGSET);
	sys3(__NR_fcntl, in_fd, F_SETFL, flags);
}

/* Read some bytes; 0 at the end of the stream (a port: when no host is there). */
size_t port_read(uint8_t *to, size_t room)
{
	for (;;) {
		long got = sys3(__NR_read, in_fd, to, room);

		if (got == -ENODEV)
			virtio = 0; /* unplugged: nobody will come back */
		if (got != -EINTR && got != -EAGAIN)
			return got > 0 ? (size_t)got : 0;
	}
}

/* After the end of the stream: wait a little for a new host; 0 when none can come. */
int port_wait(void)
{
	if (virtio)
		wait_for_host();
	return virtio;
}

/* Write everything; on a broken stream the next read tells. */
void port_write(const uint8_t *from, size_t length)
{
	while (length) {
		long put = sys3(__NR_write, out_fd, from, length);

		if (put == -EINTR || put == -EAGAIN)
			continue;
		if (put <= 0)
			return;
		from += put;
		length -= (size_t)put;
	}
}
