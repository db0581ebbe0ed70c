#include "agent/base/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/ipc.h"
#include "agent/base/sanitized.h"
#include "agent/base/syscall_list.h"

/* The kernel's asm-generic/siginfo.h has it, and glibc's signal.h does not. */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

/* Of syscall_list_fatal and of the conditions below. */
#define FATAL_MAX 128

#define CAPTURE (1u << SANDBOX_CAPTURE)
#define WEB	(1u << SANDBOX_WEB)
#define TRIAL	(1u << SANDBOX_TRIAL)
#define PLAN	(1u << SANDBOX_PLAN)
#define BOTH	(CAPTURE | WEB)
#define ALL	(BOTH | TRIAL | PLAN)

/* A call that works, or ends the worker, by its arguments: all of the comparisons hold. */
struct condition {
	const char *name;
	unsigned int roles;
	bool fatal;
	unsigned int n;
	struct scmp_arg_cmp args[2];
};

#define MASKED(arg, mask, value)                     \
	{                                            \
		arg, SCMP_CMP_MASKED_EQ, mask, value \
	}
#define EQUAL(arg, value)                  \
	{                                  \
		arg, SCMP_CMP_EQ, value, 0 \
	}
#define OTHER(arg, value)                  \
	{                                  \
		arg, SCMP_CMP_NE, value, 0 \
	}

/* clone(2) takes the flags as its first argument but on s390. */
static const struct condition conditions[] = {
	{ "mmap", BOTH | PLAN, false, 1, { MASKED(2, PROT_EXEC, 0) } },
	{ "mmap", BOTH, true, 1, { MASKED(2, PROT_EXEC, PROT_EXEC) } },
	{ "mmap", TRIAL, false, 0, { { 0 } } },
	{ "mmap2", BOTH | PLAN, false, 1, { MASKED(2, PROT_EXEC, 0) } },
	{ "mmap2", BOTH, true, 1, { MASKED(2, PROT_EXEC, PROT_EXEC) } },
	{ "mmap2", TRIAL, false, 0, { { 0 } } },
	{ "mprotect", BOTH | PLAN, false, 1, { MASKED(2, PROT_EXEC, 0) } },
	{ "mprotect", BOTH, true, 1, { MASKED(2, PROT_EXEC, PROT_EXEC) } },
	{ "mprotect", TRIAL, false, 0, { { 0 } } },
	{ "clone", WEB, false, 1, { MASKED(0, CLONE_THREAD, CLONE_THREAD) } },
	{ "clone", WEB, true, 1, { MASKED(0, CLONE_THREAD, 0) } },
	{ "clone", CAPTURE | TRIAL | PLAN, true, 0, { { 0 } } },
	/* Whoever got in must not keep the agent from hearing of it. */
	{ "rt_sigaction", ALL, false, 1, { OTHER(0, SIGSYS) } },
	{ "rt_sigaction", ALL, true, 1, { EQUAL(0, SIGSYS) } },
	{ "ioctl", BOTH, false, 1, { EQUAL(1, FIONBIO) } },
	{ "fcntl", BOTH, false, 1, { EQUAL(1, F_GETFD) } },
	{ "fcntl", BOTH, false, 1, { EQUAL(1, F_SETFD) } },
	{ "fcntl", BOTH, false, 1, { EQUAL(1, F_GETFL) } },
	{ "fcntl", BOTH, false, 1, { EQUAL(1, F_SETFL) } },
	{ "fcntl", BOTH, false, 1, { EQUAL(1, F_DUPFD_CLOEXEC) } },
	{ "fcntl", WEB, false, 1, { EQUAL(1, F_ADD_SEALS) } },
	{ "fcntl", WEB, false, 1, { EQUAL(1, F_GET_SEALS) } },
	{ "setsockopt", BOTH, false, 2, { EQUAL(1, SOL_SOCKET), EQUAL(2, SO_SNDBUF) } },
	{ "setsockopt", WEB, false, 2, { EQUAL(1, IPPROTO_TCP), EQUAL(2, TCP_NODELAY) } },
	{ "setsockopt", WEB, false, 2, { EQUAL(1, IPPROTO_TCP), EQUAL(2, TCP_CORK) } },
};

/* ---- a call that ends the worker ------------------------------------------------------------- */

static struct {
	int channel_fd;
	size_t n;
	struct {
		int number;
		const char *name;
	} calls[FATAL_MAX];
} fatal;

static const char *name_of(int number)
{
	for (size_t i = 0; i < fatal.n; i++) {
		if (fatal.calls[i].number == number)
			return fatal.calls[i].name;
	}
	return "of another architecture";
}

/*
 * In a signal handler: only what signal-safety(7) allows. SA_RESETHAND has given the signal back to
 * the kernel, which ends the process by it.
 */
static void on_sigsys(int signum, siginfo_t *info, void *context)
{
	char text[sizeof(((struct ipc_fault *)0)->text)];
	char *end = text;

	(void)context;
	if (info->si_code == SYS_SECCOMP) {
		end = stpcpy(end, "it asked for the system call ");
		end = stpcpy(end, name_of(info->si_syscall));
		stpcpy(end, ", which its sandbox refuses");
		ipc_fault_now(fatal.channel_fd, text);
	}
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signum);
}

static int catch_sigsys(int channel_fd)
{
	const struct sigaction action = {
		.sa_sigaction = on_sigsys,
		.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER),
	};
	sigset_t set;

	fatal.channel_fd = channel_fd;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	if (sigaction(SIGSYS, &action, NULL) < 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		return -errno;
	return 0;
}

/* ---- the filter ------------------------------------------------------------------------------ */

static bool is_in(const char *const *list, const char *name)
{
	for (; *list; list++) {
		if (strcmp(*list, name) == 0)
			return true;
	}
	return false;
}

static void note_fatal(int number, const char *name)
{
	if (fatal.n < FATAL_MAX) {
		fatal.calls[fatal.n].number = number;
		fatal.calls[fatal.n++].name = name;
	}
}

/* Negative numbers are those of calls that this architecture does not have. */
static int add_rule(scmp_filter_ctx filter, const char *name, bool is_fatal, unsigned int n,
		    const struct scmp_arg_cmp *args)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number < 0)
		return 0;
	if (is_fatal && SANITIZED && is_in(syscall_list_sanitizer, name))
		return 0;
	if (is_fatal)
		note_fatal(number, name);
	else if (SANITIZED)
		return 0;
	return seccomp_rule_add_array(filter, is_fatal ? SCMP_ACT_TRAP : SCMP_ACT_ALLOW, number, n,
				      args);
}

static int add_list(scmp_filter_ctx filter, const char *const *list, bool is_fatal,
		    const char *const *but)
{
	int code = 0;

	for (; *list && !code; list++) {
		if (!is_in(but, *list))
			code = add_rule(filter, *list, is_fatal, 0, NULL);
	}
	return code;
}

static int add_conditions(scmp_filter_ctx filter, enum sandbox_role role)
{
	const struct scmp_arg_cmp self = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	const struct scmp_arg_cmp others = SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid());
	int code = add_rule(filter, "tgkill", false, 1, &self);

	if (!code)
		code = add_rule(filter, "tgkill", true, 1, &others);
	for (size_t i = 0; !code && i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		const struct condition *c = &conditions[i];

		if (c->roles & (1u << role))
			code = add_rule(filter, c->name, c->fatal, c->n, c->args);
	}
	return code;
}

static int add_all(scmp_filter_ctx filter, enum sandbox_role role)
{
	static const char *const none[] = { NULL };
	static const char *const *const lists[SANDBOX_ROLES] = {
		[SANDBOX_CAPTURE] = syscall_list_capture,
		[SANDBOX_WEB] = syscall_list_web,
		[SANDBOX_TRIAL] = none,
		[SANDBOX_PLAN] = syscall_list_plan,
	};
	int code = add_list(filter, syscall_list_both, false, none);

	if (!code)
		code = add_list(filter, lists[role], false, none);
	if (!code)
		code = add_list(filter, syscall_list_fatal, true,
				role == SANDBOX_PLAN ? syscall_list_in_vain : none);
	return code ? code : add_conditions(filter, role);
}

int syscall_filter_enter(enum sandbox_role role, int channel_fd, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SANITIZED ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	int code = -ENOMEM;

	if (filter)
		code = channel_fd < 0 ? 0 : catch_sigsys(channel_fd);
	if (!code)
		code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* Of one thread alone, which is libseccomp's own way, the others would wait for ever. */
	if (!code)
		code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!code)
		code = add_all(filter, role);
	if (!code)
		code = seccomp_load(filter);
	seccomp_release(filter);
	return code ? err_errno(err, code, "cannot restrict the system calls") : 0;
}
