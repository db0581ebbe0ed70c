/* links: netlink/tap_node.c agent/base/parse.c agent/base/err.c */
/*
 * tap_open LINK: opens the tap of LINK as the agent does, says "MAJOR:MINOR PATH" (PATH is "-" when
 * /dev/tapN is another's), and holds it until its standard input ends.
 */
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "netlink/tap_node.h"

int main(int argc, char **argv)
{
	struct tap_node node;
	char byte;
	unsigned int ifindex;
	struct stat st;
	struct err err;
	int fd;

	if (argc != 2)
		return 2;
	ifindex = if_nametoindex(argv[1]);
	if (ifindex == 0) {
		perror(argv[1]);
		return 1;
	}
	if (tap_node_open(argv[1], ifindex, &fd, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (fstat(fd, &st) < 0) {
		perror("fstat");
		return 1;
	}
	tap_node_look(ifindex, st.st_rdev, &node);
	printf("%u:%u %s\n", major(st.st_rdev), minor(st.st_rdev), *node.path ? node.path : "-");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	close(fd);
	return 0;
}
