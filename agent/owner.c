#include "agent/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/parse.h"

static int find_user(const char *name, uint32_t *ret_uid, uint32_t *ret_gid, struct err *err)
{
	const struct passwd *pw;
	uint64_t number;
	bool numeric = parse_u64(name, 0, UINT32_MAX - 1, &number, NULL) == 0;

	pw = numeric ? getpwuid((uid_t)number) : getpwnam(name);
	if (!pw && !numeric)
		return err_set(err, -ENOENT, "there is no user \"%s\"", name);
	*ret_uid = pw ? pw->pw_uid : (uint32_t)number;
	*ret_gid = pw ? pw->pw_gid : (uint32_t)number;
	return 0;
}

static int find_group(const char *name, uint32_t *ret, struct err *err)
{
	const struct group *group;
	uint64_t number;

	if (parse_u64(name, 0, UINT32_MAX - 1, &number, NULL) == 0) {
		*ret = (uint32_t)number;
		return 0;
	}
	group = getgrnam(name);
	if (!group)
		return err_set(err, -ENOENT, "there is no group \"%s\"", name);
	*ret = group->gr_gid;
	return 0;
}

int owner_find(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, struct err *err)
{
	const char *colon = strchr(text, ':');
	char user[64];
	uint32_t uid = 0, gid = 0;
	int code;

	snprintf(user, sizeof(user), "%.*s", (int)(colon ? colon - text : 63), text);
	code = find_user(user, &uid, &gid, err);
	if (code == 0 && colon)
		code = find_group(colon + 1, &gid, err);
	if (code)
		return code;
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}
