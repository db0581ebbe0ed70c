#include "netlink/host_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The solicited-node group of the address with the EUI-64 of `mac` (RFC 4291 2.7.1, RFC 2464 7). */
static int join_group_of(int s, struct ifreq *ifr, const uint8_t mac[MAC_LEN])
{
	const uint8_t group[MAC_LEN] = { 0x33, 0x33, 0xff, mac[3], mac[4], mac[5] };

	ifr->ifr_hwaddr.sa_family = AF_UNSPEC;
	memcpy(ifr->ifr_hwaddr.sa_data, group, sizeof(group));
	return ioctl(s, SIOCADDMULTI, ifr) < 0 ? -errno : 0;
}

static int write_sysctl(const char *name, const char *value)
{
	char path[64];
	int code = 0, fd;

	/* /proc/sys/net shows the namespace of whoever opens it, wherever /proc was mounted. */
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (write(fd, value, 1) < 0)
		code = -errno;
	close(fd);
	return code;
}

int host_stack_socket(void)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return s < 0 ? -errno : s;
}

int host_stack_ipv6_off(int s, const char *name, uint32_t ifindex, const uint8_t mac[MAC_LEN])
{
	struct ifreq ifr = { .ifr_ifindex = 0 };
	int code = 0;

	/* Both go by name. No link is called "all" or "default": the kernel refuses that. */
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(s, SIOCGIFINDEX, &ifr) < 0)
		code = -errno;
	else if ((uint32_t)ifr.ifr_ifindex != ifindex)
		code = -ENODEV;
	if (code == 0)
		code = join_group_of(s, &ifr, mac);
	if (code == 0)
		code = write_sysctl(name, "1");
	return code;
}

int host_stack_ipv6_on(const char *name)
{
	return write_sysctl(name, "0");
}
