/*
 * The guest's end for programs that play a virtual machine monitor: a network device of its own in
 * a network namespace, with the MAC of a link.
 */
#ifndef TW_TEST_GUEST_DEVICE_H
#define TW_TEST_GUEST_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/base/parse.h"

/* With offloads off the kernel cuts what it sends down to the MTU, itself at most 65535. */
#define FRAME_MAX (65535 + 18)

static inline int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints with the text of errno; returns the errno, negative. */
static inline int complain(const char *fmt, ...)
{
	int code = errno;
	va_list args;

	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fprintf(stderr, ": %s\n", strerror(code));
	return code == 0 ? -EIO : -code;
}

static inline int read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	char *got;

	if (file == NULL)
		return -errno;
	got = fgets(line, size, file);
	(void)fclose(file);
	if (got == NULL)
		return -EIO;
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

/* The macvtap delivers what is addressed to its own MAC, so the guest must have the same. */
static inline int copy_mac(const char *link, const char *tap_name, int tap)
{
	struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
	char path[128];
	char line[32];
	uint8_t mac[MAC_LEN];

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/address", link);
	if (read_line(path, line, sizeof(line)) < 0 || parse_mac(line, mac, NULL) < 0)
		return complain("cannot read the MAC of %s", link);
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", tap_name);
	memcpy(request.ifr_hwaddr.sa_data, mac, sizeof(mac));
	if (ioctl(tap, SIOCSIFHWADDR, &request) < 0)
		return complain("cannot give %s the MAC %s", tap_name, line);
	return 0;
}

/* Moves this process into the guest's namespace; /sys stays that of the host. */
static inline int enter_netns(const char *name)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return complain("cannot open %s", path);
	if (setns(fd, CLONE_NEWNET) < 0) {
		(void)close(fd);
		return complain("cannot enter %s", path);
	}
	(void)close(fd);
	return 0;
}

static inline int make_tap(const char *name, int *ret)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return complain("cannot open /dev/net/tun");
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		(void)close(fd);
		return complain("cannot make %s", name);
	}
	*ret = fd;
	return 0;
}

#endif
