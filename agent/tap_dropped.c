#include "agent/tap_dropped.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/base/counter_file.h"

int tap_dropped_open(const char *link, uint64_t *ret)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/rx_dropped", link);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && counter_file_read(fd, ret)) {
		close(fd);
		fd = -1;
	}
	return fd;
}
