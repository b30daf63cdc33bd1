/* The entry point and the four functions gcc may call by itself.
 *
 * Included once per program. A hosted build (without -ffreestanding) takes
 * these from libc; both builds behave the same.
 */
#ifndef KTRACE_START_H
#define KTRACE_START_H

#include "sys.h"

int main(int argc, char **argv, char **envp);

#if !__STDC_HOSTED__
#undef memcpy
#undef memset

void *memcpy(void *to, const void *from, size_t n)
{
	void *start = to;
	size_t words = n / 8;

	n %= 8;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return start;
}

void *memset(void *to, int c, size_t n)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (t <= f || t >= f + n)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

__attribute__((noreturn, used)) void start_main(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	for (;;)
		sys1(__NR_exit_group, main(argc, argv, argv + argc + 1));
}

__asm__(".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start_main\n"
	"	ud2\n");

#define memcpy __builtin_memcpy
#define memset __builtin_memset

#endif
#endif
