#include "netlink/wireless.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/parse.h"

static bool has(const char *sysfs, const char *name, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", sysfs, name, file);
	return access(path, F_OK) == 0;
}

static bool is_that(const char *sysfs, const char *name, uint32_t ifindex)
{
	char path[PATH_MAX], line[16] = "";
	uint64_t found;
	FILE *file;
	bool that;

	snprintf(path, sizeof(path), "%s/%s/ifindex", sysfs, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(line, sizeof(line), file))
		line[strcspn(line, "\n")] = '\0';
	that = parse_u64(line, 1, UINT32_MAX, &found, NULL) == 0 && found == ifindex;
	fclose(file);
	return that;
}

bool is_wireless(const char *sysfs, const char *name, uint32_t ifindex)
{
	return (has(sysfs, name, "phy80211") || has(sysfs, name, "wireless")) &&
	       is_that(sysfs, name, ifindex);
}
