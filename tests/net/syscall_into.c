/*
 * syscall_into PID NUMBER: the next system call of that process is another one, as if somebody had
 * taken it over. Ends when the process has been given it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

static void must(long result, const char *what)
{
	if (result != -1)
		return;
	perror(what);
	exit(1);
}

static void set_number(pid_t pid, long number)
{
#if defined(__x86_64__)
	must(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), number),
	     "PTRACE_POKEUSER");
#elif defined(__aarch64__)
	int value = (int)number;
	struct iovec iov = { &value, sizeof(value) };

	must(ptrace(PTRACE_SETREGSET, pid, 0x404 /* NT_ARM_SYSTEM_CALL */, &iov),
	     "PTRACE_SETREGSET");
#else
#error "how a tracer changes the number of a system call is another matter on every architecture"
#endif
}

/* Of what the kernel tells, whether it is about to begin a call. */
static int is_entry(pid_t pid)
{
	struct __ptrace_syscall_info info;
	long got = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);

	must(got, "PTRACE_GET_SYSCALL_INFO");
	return info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 3 ? (pid_t)strtol(argv[1], NULL, 10) : -1;
	int status;

	if (pid <= 0)
		return 2;
	must(ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACESYSGOOD), "PTRACE_SEIZE");
	must(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), "PTRACE_INTERRUPT");
	do {
		must(waitpid(pid, &status, __WALL), "waitpid");
		if (!WIFSTOPPED(status))
			return 1;
		if (is_entry(pid))
			break;
	} while (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
	set_number(pid, strtol(argv[2], NULL, 10));
	must(ptrace(PTRACE_DETACH, pid, NULL, NULL), "PTRACE_DETACH");
	return 0;
}
