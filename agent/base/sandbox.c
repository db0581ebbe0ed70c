#include "agent/base/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

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

int sandbox_seal(struct err *err)
{
	/* /proc/self/fd is needed for the configuration, hence not earlier. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_errno(err, -errno, "cannot become undumpable");
	return 0;
}
