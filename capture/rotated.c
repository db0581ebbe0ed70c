#include "capture/rotated.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void rotated_name(const char *name, uint32_t number, char out[NAME_MAX + 1])
{
	if (number)
		snprintf(out, NAME_MAX + 1, "%s.%u", name, number);
	else
		snprintf(out, NAME_MAX + 1, "%s", name);
}

int rotated_move(int dir_fd, const char *name, uint32_t keep)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];

	if (!keep)
		return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
	for (uint32_t n = keep; n > 0; n--) {
		rotated_name(name, n - 1, from);
		rotated_name(name, n, to);
		if (renameat(dir_fd, from, dir_fd, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

void rotated_bound(int dir_fd, const char *name, uint32_t keep, uint64_t bytes)
{
	char rotated[NAME_MAX + 1];
	struct stat st;

	for (uint32_t n = 1; n <= keep; n++) {
		rotated_name(name, n, rotated);
		if (fstatat(dir_fd, rotated, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if ((uint64_t)st.st_size <= bytes) {
			bytes -= (uint64_t)st.st_size;
			continue;
		}
		/* Those behind it are older. */
		bytes = 0;
		(void)unlinkat(dir_fd, rotated, 0);
	}
}
