#include "agent/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/parse.h"

static const struct {
	unsigned int capability;
	const char *name;
} kept[] = {
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" }, /* links */
	{ CAP_NET_RAW, "CAP_NET_RAW" }, /* packet sockets */
	{ CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE" }, /* boot-listen on port 80 */
	{ CAP_MKNOD, "CAP_MKNOD" }, /* the private tap node */
	{ CAP_CHOWN, "CAP_CHOWN" }, /* the log directory, nodes of taps */
	{ CAP_FOWNER, "CAP_FOWNER" }, /* their modes, once they are another's */
	{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" }, /* files of other owners: secrets, run-dir */
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" }, /* /proc/PID/fd: who holds a tap */
	{ CAP_SETUID, "CAP_SETUID" }, /* workers under their own uid */
	{ CAP_SETGID, "CAP_SETGID" },
	{ CAP_KILL, "CAP_KILL" }, /* a worker of another uid that hangs */
};

/* What is of use where it is there, and no reason to refuse where it is not. */
static const struct {
	unsigned int capability;
	capng_type_t type;
} welcome[] = {
	/* Links in other network namespaces: setns(2), for the moment; see netlink/netns.c. */
	{ CAP_SYS_ADMIN, CAPNG_PERMITTED },
	/* Notifications of them (NETLINK_LISTEN_ALL_NSID of netlink(7)). */
	{ CAP_NET_BROADCAST, CAPNG_EFFECTIVE | CAPNG_PERMITTED },
};

#define WELCOME (sizeof(welcome) / sizeof(welcome[0]))

int privs_user(const char *user, uid_t *ret_uid, gid_t *ret_gid, struct err *err)
{
	uid_t uid;
	gid_t gid;
	uint64_t number;

	if (parse_u64(user, 0, UINT32_MAX - 1, &number, NULL) == 0) {
		uid = (uid_t)number;
		gid = (gid_t)number;
	} else {
		const struct passwd *pw;

		errno = 0;
		pw = getpwnam(user);
		if (!pw && errno && errno != ENOENT)
			return err_errno(err, -errno, "cannot look up user \"%s\"", user);
		if (!pw)
			return err_set(
				err, -ENOENT,
				"there is no user \"%s\" (systemd-sysusers makes the packaged "
				"ones; a number needs no entry)",
				user);
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if (uid == 0 || gid == 0)
		return err_set(err, -EINVAL, "user \"%s\" is root, and a worker must not be", user);
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}

int privs_reduce(struct err *err)
{
	bool has[WELCOME];

	capng_get_caps_process();
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (!capng_have_capability(CAPNG_EFFECTIVE, kept[i].capability))
			return err_set(err, -EPERM, "%s is missing", kept[i].name);
	}
	for (size_t i = 0; i < WELCOME; i++)
		has[i] = capng_have_capability(CAPNG_EFFECTIVE, welcome[i].capability);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i].capability);
	for (size_t i = 0; i < WELCOME; i++) {
		if (has[i])
			capng_update(CAPNG_ADD, welcome[i].type, welcome[i].capability);
	}
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return err_set(err, -EPERM, "cannot reduce the capabilities");
	return 0;
}

int privs_stay_here(struct err *err)
{
	capng_get_caps_process();
	for (size_t i = 0; i < WELCOME; i++)
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, welcome[i].capability);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return err_set(err, -EPERM, "cannot reduce the capabilities");
	return 0;
}
