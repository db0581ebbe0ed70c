#include "agent/base/counter_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/parse.h"

int counter_file_read(int fd, uint64_t *ret)
{
	char line[32];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);

	if (n < 0)
		return -errno;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return parse_u64(line, 0, UINT64_MAX, ret, NULL) ? -EBADMSG : 0;
}
