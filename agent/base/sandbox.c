#include "agent/base/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/code_pages.h"
#include "agent/base/landlock.h"
#include "agent/base/sanitized.h"

int sandbox_enter(struct err *err)
{
	struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_errno(err, -errno, "cannot ask to die with the agent");
	/* Of an agent that died before that call the end of the channel tells. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot set no_new_privs");
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_errno(err, -errno, "cannot switch core files off");
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getegid() == 0)
		return err_set(err, -EPERM, "a worker must not run as root");
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return err_set(err, -EPERM, "cannot drop capabilities");
	if (capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) > CAPNG_NONE)
		return err_set(err, -EPERM, "capabilities are left after they were dropped");
	return 0;
}

/* A pattern, its machine code and what it is tried on need some MiB; so does a plan. */
#define LIMIT_MEMORY (1024ul << 20)

int sandbox_limit(unsigned int seconds, struct err *err)
{
	const struct rlimit time = { seconds, seconds };
	const struct rlimit memory = { LIMIT_MEMORY, LIMIT_MEMORY };
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CPU, &time) < 0)
		return err_errno(err, -errno, "cannot limit the process");
	if (!SANITIZED && (setrlimit(RLIMIT_AS, &memory) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0))
		return err_errno(err, -errno, "cannot limit the process");
	return 0;
}

int sandbox_seal_trial(enum sandbox_role role, int read_dir, struct err *err)
{
	int abi, code = read_dir < 0 ? landlock_enter(-1, &abi, err)
				     : landlock_enter_reading(read_dir, &abi, err);

	return code ? code : syscall_filter_enter(role, -1, err);
}

/* What libraries would read later: the time zone, at the first conversion of a time. */
static void load_early(void)
{
	tzset();
}

/* Landlock is of the calling thread and those that it starts. */
static int check_threads(struct err *err)
{
	struct stat st;

	if (stat("/proc/self/task", &st) < 0)
		return err_errno(err, -errno, "cannot count the threads");
	/* ".", ".." and one more. */
	if (st.st_nlink != 3)
		return err_set(err, -EBUSY,
			       "threads run already: they would stay outside the sandbox");
	return 0;
}

int sandbox_seal(enum sandbox_role role, int log_dir, int channel_fd, struct ipc_sandbox *ret,
		 struct err *err)
{
	struct code_pages pages;
	int abi, code;

	load_early();
	code = check_threads(err);
	if (!code)
		code = code_pages_seal(&pages, err);
	if (code)
		return code;
	/* /proc/self/fd is needed for the configuration, hence not earlier. */
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot become undumpable");
	code = landlock_enter(log_dir, &abi, err);
	if (!code)
		code = syscall_filter_enter(role, channel_fd, err);
	if (code)
		return code;
	*ret = (struct ipc_sandbox){
		.seccomp = 1,
		.landlock = (uint32_t)abi,
		.mseal = pages.sealed,
		.mdwe = pages.no_more,
	};
	return 0;
}
