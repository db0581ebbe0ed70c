#include "netlink/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/parse.h"
#include "netlink/netns_msg.h"

int netns_open(const char *name)
{
	char path[sizeof(NETNS_DIR) + NETNS_NAME_SIZE + 8];
	int fd;

	if (!*name)
		snprintf(path, sizeof(path), "/proc/thread-self/ns/net");
	else if (strspn(name, "0123456789") == strlen(name))
		snprintf(path, sizeof(path), "/proc/%s/ns/net", name);
	else
		snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool netns_is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

/* Whether it became effective just now; it stays as it is where that is not permitted. */
static bool set_sys_admin(bool effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	const uint32_t bit = CAP_TO_MASK(CAP_SYS_ADMIN);
	struct __user_cap_data_struct *word = &data[CAP_TO_INDEX(CAP_SYS_ADMIN)];

	if (syscall(SYS_capget, &header, data) < 0 || !(word->permitted & bit) ||
	    !(word->effective & bit) != effective)
		return false;
	word->effective ^= bit;
	return syscall(SYS_capset, &header, data) == 0;
}

static int open_inside(int fd, int own, struct nl_channel **ret, struct err *err)
{
	int code;

	if (setns(fd, CLONE_NEWNET) < 0 && errno == EPERM)
		return err_set(
			err, -EPERM,
			"entering it takes CAP_SYS_ADMIN, which an agent keeps that was started "
			"with a netns in its configuration");
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_errno(err, -errno, "could not enter it");
	code = nl_channel_open_requests(ret, err);
	/* From here on everything would be done in the wrong namespace. */
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return code;
}

int netns_channel(int fd, struct nl_channel **ret, struct err *err)
{
	int own = netns_open(""), code;
	bool raised;

	if (own < 0)
		return err_errno(err, own, "could not open the network namespace of the agent");
	raised = set_sys_admin(true);
	code = open_inside(fd, own, ret, err);
	if (raised)
		set_sys_admin(false);
	close(own);
	return code;
}

int netns_id(struct nl_channel *channel, int fd, bool give, int32_t *ret, struct err *err)
{
	struct nl_request request = { .nsid = -1 };
	int code = 0;

	if (give) {
		netns_msg_new_id(&request.msg, fd);
		code = nl_channel_batch(channel, &request, 1, err);
		if (code == 0 && request.ack.error != -EEXIST)
			code = request.ack.error;
	}
	if (code == 0) {
		netns_msg_get_id(&request.msg, fd);
		code = nl_channel_batch(channel, &request, 1, err);
	}
	if (code == 0)
		code = request.ack.error;
	if (code < 0)
		return err_errno(err, code, "could not get the id of a network namespace");
	*ret = request.nsid;
	return 0;
}
