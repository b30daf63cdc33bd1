/* Raw x86-64 system calls and the few C helpers the agent and init need.
 *
 * Nothing here touches errno or thread-local storage: actors run on stacks of
 * their own and may share one address space (CLONE_VM). Every call returns
 * what the kernel returned: -4095..-1 is an error.
 */
#ifndef KTRACE_SYS_H
#define KTRACE_SYS_H

#include <stddef.h>
#include <stdint.h>

#include <asm/errno.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#ifndef S_IFCHR
#define S_IFCHR 0020000
#endif

#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC 1

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Lets gcc inline what is small, in a freestanding build too. */
#define memcpy __builtin_memcpy
#define memset __builtin_memset

struct timespec64 {
	int64_t sec;
	int64_t nsec;
};

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define sys0(nr) sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) sys6(nr, (long)(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) sys6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static inline size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline int str_eq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Append `s` to `out` (of `size` bytes, NUL kept); return the new end. */
static inline char *put_str(char *out, const char *end, const char *s)
{
	while (*s && out + 1 < end)
		*out++ = *s++;
	*out = 0;
	return out;
}

/* Append `value` in decimal. */
static inline char *put_dec(char *out, const char *end, int64_t value)
{
	char digits[24];
	int n = sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	digits[--n] = 0;
	do {
		digits[--n] = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	if (value < 0)
		digits[--n] = '-';
	return put_str(out, end, digits + n);
}

/* Parse an unsigned number (0x prefix: hexadecimal); *s ends behind it. */
static inline uint64_t get_num(const char **s)
{
	uint64_t value = 0;
	unsigned base = 10;

	if ((*s)[0] == '0' && (*s)[1] == 'x') {
		base = 16;
		*s += 2;
	}
	for (;; (*s)++) {
		unsigned c = (unsigned char)**s, digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else
			break;
		if (digit >= base)
			break;
		value = value * base + digit;
	}
	return value;
}

static inline int64_t now_ns(int clock)
{
	struct timespec64 ts;

	sys2(__NR_clock_gettime, clock, &ts);
	return ts.sec * 1000000000 + ts.nsec;
}

static inline void nap_ns(int64_t ns)
{
	struct timespec64 ts = { ns / 1000000000, ns % 1000000000 };

	sys2(__NR_nanosleep, &ts, 0);
}

/* Read a whole small file into `out`, NUL-terminated; bytes read or -errno. */
static inline long slurp(const char *path, char *out, size_t size)
{
	long fd = sys4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	size_t n = 0;

	out[0] = 0;
	if (fd < 0)
		return fd;
	while (n + 1 < size) {
		long got = sys3(__NR_read, fd, out + n, size - 1 - n);

		if (got < 0) {
			sys1(__NR_close, fd);
			return got;
		}
		if (!got)
			break;
		n += got;
	}
	out[n] = 0;
	sys1(__NR_close, fd);
	return n;
}

/* Write a string to an existing file in one write; 0 or -errno. */
static inline long spill(const char *path, const char *text)
{
	long fd = sys4(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0), ret;

	if (fd < 0)
		return fd;
	ret = sys3(__NR_write, fd, text, str_len(text));
	sys1(__NR_close, fd);
	return ret < 0 ? ret : 0;
}

/* Write one line to file descriptor 2: `who: a<b>c`. */
static inline void say(const char *who, const char *a, int64_t number, const char *c)
{
	char line[256];
	const char *end = line + sizeof(line) - 2;
	char *p = line;

	p = put_str(p, end, who);
	p = put_str(p, end, ": ");
	p = put_str(p, end, a);
	if (c) {
		p = put_dec(p, end, number);
		p = put_str(p, end, c);
	}
	*p++ = '\n';
	sys3(__NR_write, 2, line, p - line);
}

#endif
