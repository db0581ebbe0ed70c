#include "agent/base/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/sanitized.h"

/*
 * linux/landlock.h of Debian 12 knows version 2. These are of newer kernels, which take a longer
 * struct; what is behind the end of what they know must be 0.
 */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1u << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1u << 15)
#endif

#define NET_BIND_TCP	      (1u << 0)
#define NET_CONNECT_TCP	      (1u << 1)
#define SCOPE_ABSTRACT_SOCKET (1u << 0)
#define SCOPE_SIGNAL	      (1u << 1)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

/* The accesses of version 1. */
#define FS_FIRST                                                          \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |     \
	 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |     \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What keeping, rotating and repairing a log takes. */
#define FS_OF_DIR                                                       \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	 LANDLOCK_ACCESS_FS_TRUNCATE)

/* What came with each version; a kernel refuses bits that it does not know. */
static const struct ruleset_attr since[] = {
	[1] = { .fs = FS_FIRST },
	[2] = { .fs = LANDLOCK_ACCESS_FS_REFER },
	[3] = { .fs = LANDLOCK_ACCESS_FS_TRUNCATE },
	[4] = { .net = NET_BIND_TCP | NET_CONNECT_TCP },
	[5] = { .fs = LANDLOCK_ACCESS_FS_IOCTL_DEV },
	[6] = { .scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL },
};

#define ABI_KNOWN ((int)(sizeof(since) / sizeof(since[0])) - 1)

static struct ruleset_attr all_of(int abi)
{
	struct ruleset_attr attr = { 0 };

	for (int i = 1; i <= abi && i <= ABI_KNOWN; i++) {
		attr.fs |= since[i].fs;
		attr.net |= since[i].net;
		attr.scoped |= since[i].scoped;
	}
	return attr;
}

static int allow_dir(int ruleset, int dir_fd, uint64_t allowed)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = allowed,
		.parent_fd = dir_fd,
	};

	if (dir_fd < 0)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int restrict_self(int abi, int dir_fd, uint64_t access)
{
	const struct ruleset_attr attr = all_of(abi);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int code = 0;

	if (ruleset < 0)
		return -errno;
	if (allow_dir(ruleset, dir_fd, access & attr.fs) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		code = -errno;
	close(ruleset);
	return code;
}

static int enter(int dir_fd, uint64_t access, int *ret_abi, struct err *err)
{
	int abi =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int code;

	/* Not in the kernel, or not among the security modules that it was started with. */
	if (SANITIZED || (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))) {
		*ret_abi = 0;
		return 0;
	}
	code = abi < 0 ? -errno : restrict_self(abi, dir_fd, access);
	if (code)
		return err_errno(err, code, "cannot enter Landlock");
	*ret_abi = abi;
	return 0;
}

int landlock_enter(int dir_fd, int *ret_abi, struct err *err)
{
	return enter(dir_fd, FS_OF_DIR, ret_abi, err);
}

int landlock_enter_reading(int dir_fd, int *ret_abi, struct err *err)
{
	return enter(dir_fd, LANDLOCK_ACCESS_FS_READ_FILE, ret_abi, err);
}
