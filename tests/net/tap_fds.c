/*
 * tap_fds FDS [hold]: what a guest's program finds open. For each of the numbers in "3:4" a line
 * "3 web01", or "4 none" where no tap is; with "hold" it then waits until it is killed.
 */
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *rest = argc > 1 ? argv[1] : "";

	while (*rest) {
		struct ifreq request = { .ifr_flags = 0 };
		long fd = strtol(rest, &rest, 10);
		int r = ioctl((int)fd, TUNGETIFF, &request);

		request.ifr_name[IFNAMSIZ - 1] = '\0';
		printf("%ld %s\n", fd, r < 0 ? "none" : request.ifr_name);
		rest += *rest == ':';
	}
	(void)fflush(stdout);
	if (argc > 2 && strcmp(argv[2], "hold") == 0)
		(void)pause();
	return 0;
}
