/* An actor: a process that does one operation at a time from its mailbox.
 *
 * It uses no libc, no thread-local storage and no file descriptor. Its stack
 * lies in its slot of the shared region, so a handler knows its slot from its
 * stack pointer, and actors may share one address space (CLONE_VM).
 */
#include <asm/signal.h>
#include <asm/siginfo.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "agent.h"

#define LAST_SIGNAL 64

/* Signals whose arrival every actor records from its birth; SIGRTMIN and up besides. */
static const uint8_t recorded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
	SIGURG, SIGIO, SIGWINCH, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGPWR,
};

unsigned long copy_checked(void *to, const void *from, unsigned long n);
extern const char copy_words[], copy_words_left[], copy_bytes[], copy_bytes_left[];

__asm__(".globl signal_return\n"
	"signal_return:\n"
	"	mov $15, %eax\n" /* __NR_rt_sigreturn */
	"	syscall\n"

	/* Copy; what a fault leaves uncopied is returned (on_fault jumps to *_left). */
	".globl copy_checked, copy_words, copy_words_left, copy_bytes, copy_bytes_left\n"
	"copy_checked:\n"
	"	mov %rdx, %rcx\n"
	"	shr $3, %rcx\n"
	"copy_words:\n"
	"	rep movsq\n"
	"	mov %edx, %ecx\n"
	"	and $7, %ecx\n"
	"copy_bytes:\n"
	"	rep movsb\n"
	"copy_bytes_left:\n"
	"	mov %rcx, %rax\n"
	"	ret\n"
	"copy_words_left:\n"
	"	lea 1(%rcx), %rax\n" /* never 0: the word at fault is lost */
	"	ret\n"

	/* clone_onto(flags, top, entry, slot): the child calls entry(slot) on its own stack. */
	".globl clone_onto\n"
	"clone_onto:\n"
	"	push %r12\n"
	"	push %r13\n"
	"	mov %rdx, %r12\n"
	"	mov %ecx, %r13d\n"
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	mov $56, %eax\n" /* __NR_clone */
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	ret\n"
	"1:	xor %ebp, %ebp\n"
	"	mov %r13d, %edi\n"
	"	call *%r12\n"
	"	ud2\n"

	/* enter_on(entry, slot, top): leave this stack for good. */
	".globl enter_on\n"
	"enter_on:\n"
	"	mov %rdx, %rsp\n"
	"	mov %rdi, %rax\n"
	"	mov %esi, %edi\n"
	"	xor %ebp, %ebp\n"
	"	call *%rax\n"
	"	ud2\n");

void enter_on(void (*entry)(unsigned), unsigned slot, void *top) __attribute__((noreturn));

/* Take the next entry of the ring; NULL when a signal finds it full. */
static struct ring_event *take(struct control *c, int is_signal)
{
	uint32_t room = RING_SIZE - (is_signal ? RING_RESERVE : 0);
	uint32_t head = __atomic_load_n(&c->head, __ATOMIC_RELAXED);

	do {
		if (head - __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE) >= room) {
			__atomic_fetch_add(&c->lost, 1, __ATOMIC_RELAXED);
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&c->head, &head, head + 1, 0, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	return &c->ring[head % RING_SIZE];
}

static void put(struct control *c, struct ring_event *event, unsigned kind)
{
	__atomic_store_n(&event->kind, kind, __ATOMIC_RELEASE);
	__atomic_fetch_add(&c->kick, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->listening, __ATOMIC_SEQ_CST))
		sys3(__NR_futex, &c->kick, FUTEX_WAKE, 1);
}

static unsigned my_slot(void)
{
	return (unsigned)(((uintptr_t)__builtin_frame_address(0) - REGION_BASE) / SLOT_STRIDE - 1);
}

/* Signals with codes of their own (sig_sicodes): POLL_* with any other comes from a descriptor. */
static int has_own_codes(int signo)
{
	return signo == SIGILL || signo == SIGFPE || signo == SIGSEGV || signo == SIGBUS ||
	       signo == SIGTRAP || signo == SIGCHLD || signo == SIGSYS;
}

static void on_record(int signo, siginfo_t *info, void *context)
{
	struct control *c = control();
	struct ring_event *event = take(c, 1);

	(void)context;
	if (!event)
		return;
	event->slot = my_slot();
	event->signo = signo;
	event->code = info->si_code;
	event->error = info->si_errno;
	event->pid = event->fd = -1;
	event->uid = 0;
	event->band = 0;
	event->value = 0;
	if (info->si_code == SI_SIGIO ||
	    (info->si_code >= POLL_IN && info->si_code <= POLL_HUP && !has_own_codes(signo))) {
		event->band = info->si_band;
		event->fd = info->si_fd;
	} else {
		event->pid = info->si_pid;
		event->uid = info->si_uid;
		event->value = (uint64_t)(uintptr_t)info->si_ptr;
	}
	put(c, event, EVENT_SIGNALLED);
}

static long set_action(int signo, unsigned disposition);

/* A fault inside copy_checked() ends the copy; any other kills, as without a handler. */
static void on_fault(int signo, siginfo_t *info, void *context)
{
	struct ucontext *uc = context;
	const char *rip = (const char *)uc->uc_mcontext.rip;

	if (info->si_code > 0 && rip == copy_words) {
		uc->uc_mcontext.rip = (uint64_t)copy_words_left;
	} else if (info->si_code > 0 && rip == copy_bytes) {
		uc->uc_mcontext.rip = (uint64_t)copy_bytes_left;
	} else {
		set_action(signo, DISP_DFL);
		if (info->si_code <= 0) /* sent, so returning does not fault again */
			sys3(__NR_tgkill, sys0(__NR_getpid), sys0(__NR_gettid), signo);
	}
}

static long set_handler(int signo, void *handler, unsigned long flags)
{
	struct kernel_sigaction action = {
		.handler = handler,
		.flags = flags | SA_RESTORER,
		.restorer = signal_return,
		.mask = ~0ull,
	};

	return sys4(__NR_rt_sigaction, signo, &action, 0, KERNEL_SIGSET);
}

static long set_action(int signo, unsigned disposition)
{
	switch (disposition) {
	case DISP_IGN:
		return set_handler(signo, (void *)1, 0);
	case DISP_RECORD:
		return set_handler(signo, on_record, SA_SIGINFO);
	case DISP_RECORD_RESTART:
		return set_handler(signo, on_record, SA_SIGINFO | SA_RESTART);
	default:
		return set_handler(signo, (void *)0, 0);
	}
}

/* Install the recording handlers; after exec, leave what is still ignored alone. */
static void set_birth_actions(int after_exec)
{
	for (int signo = 1; signo <= LAST_SIGNAL; signo++) {
		struct kernel_sigaction old;
		int record = signo >= 32;

		for (unsigned i = 0; i < sizeof(recorded); i++)
			record |= recorded[i] == signo;
		if (signo == SIGKILL || signo == SIGSTOP)
			continue;
		if (after_exec) {
			sys4(__NR_rt_sigaction, signo, 0, &old, KERNEL_SIGSET);
			if (old.handler == (void *)1)
				continue;
		}
		if (signo == SIGSEGV || signo == SIGBUS)
			set_handler(signo, on_fault, SA_SIGINFO);
		else if (record || !after_exec)
			set_action(signo, record ? DISP_RECORD : DISP_DFL);
	}
}

static void close_everything(void)
{
	if (sys3(__NR_close_range, 0, ~0u, 0) < 0)
		for (int fd = 0; fd < 1024; fd++)
			sys1(__NR_close, fd);
}

/* The kernel forgets this at fork and when credentials change. */
static void die_with_agent(void)
{
	sys2(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL);
}

static int changes_credentials(uint64_t nr)
{
	switch (nr) {
	case __NR_setuid: case __NR_setgid: case __NR_setreuid: case __NR_setregid:
	case __NR_setresuid: case __NR_setresgid: case __NR_setfsuid: case __NR_setfsgid:
	case __NR_capset:
		return 1;
	default:
		return 0;
	}
}

static int64_t perform(struct mailbox *mb, unsigned slot)
{
	const uint64_t *a = mb->args;
	int64_t ret;

	switch (mb->op) {
	case OP_CALL:
		ret = sys6(mb->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (changes_credentials(mb->nr))
			die_with_agent();
		return ret;
	case OP_FORK:
		return clone_onto(a[0] | CLONE_PARENT | SIGCHLD, stack_top(a[1]), actor_enter, a[1]);
	case OP_COPY_IN:
		return copy_checked((void *)a[0], bounce(slot), a[1]) ? -EFAULT : (int64_t)a[1];
	case OP_COPY_OUT:
		return copy_checked(bounce(slot), (void *)a[0], a[1]) ? -EFAULT : (int64_t)a[1];
	case OP_EXIT:
		return sys1(__NR_exit_group, a[0]);
	case OP_EXEC:
		return sys3(__NR_execve, a[0], a[1], a[2]);
	case OP_SIGACTION:
		return set_action((int)a[0], (unsigned)a[1]);
	default:
		return -ENOSYS;
	}
}

static void complete(struct mailbox *mb, unsigned slot, unsigned kind, int64_t ret)
{
	struct control *c = control();
	struct ring_event *event = take(c, 0);

	mb->ret = ret;
	__atomic_store_n(&mb->state, ACTOR_PARKED, __ATOMIC_RELEASE);
	if (!event) /* cannot be: signals leave room for every slot */
		return;
	event->slot = slot;
	event->ret = ret;
	put(c, event, kind);
}

static void set_name(unsigned slot)
{
	char name[16];
	const char *end = name + sizeof(name);

	put_dec(put_str(name, end, "actor-"), end, slot);
	sys2(__NR_prctl, PR_SET_NAME, name);
}

void actor_enter(unsigned slot)
{
	struct mailbox *mb = mailbox(slot);
	uint64_t none = 0;

	if (mb->birth == BIRTH_SPAWN) {
		close_everything();
		set_birth_actions(0);
		sys4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, KERNEL_SIGSET);
	} else if (mb->birth == BIRTH_EXEC) {
		set_birth_actions(1);
	}
	die_with_agent();
	if (mb->birth == BIRTH_SPAWN && sys0(__NR_getppid) != control()->agent_pid)
		sys1(__NR_exit_group, 1); /* the agent died before it could be noticed */
	set_name(slot);
	mb->own_pid = sys0(__NR_getpid);
	if (mb->birth == BIRTH_EXEC) {
		mb->birth = BIRTH_DONE;
		complete(mb, slot, EVENT_COMPLETED, 0);
	} else {
		mb->birth = BIRTH_DONE;
		complete(mb, slot, EVENT_SPAWNED, 0);
	}
	for (;;) {
		uint32_t command;

		while ((command = __atomic_load_n(&mb->command, __ATOMIC_ACQUIRE)) == mb->seen)
			sys4(__NR_futex, &mb->command, FUTEX_WAIT, mb->seen, 0);
		mb->seen = command;
		complete(mb, slot, EVENT_COMPLETED, perform(mb, slot));
	}
}

void actor_after_exec(unsigned slot)
{
	mailbox(slot)->birth = BIRTH_EXEC;
	enter_on(actor_enter, slot, stack_top(slot));
}
