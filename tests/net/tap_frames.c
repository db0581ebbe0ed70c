/* links: netlink/tap_node.c agent/base/parse.c agent/base/err.c */
/*
 * tap_frames LINK, or tap_frames --wire DEVICE: plays a guest that sends whatever it likes, on the
 * tap of LINK, or somebody outside on the other end of the wire.
 *
 * Says "ready", then obeys its standard input, a line each: a frame in hex digits is sent, and
 * "mac XX:XX:XX:XX:XX:XX" changes the MAC of LINK by the tap, as its holder may. What the tap is
 * given is said as "got HEX". Ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink/tap_node.h"

#define BYTES 4096

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* Without the virtio header one write is one frame. */
static int open_tap(const char *link)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	struct err err;
	int fd;

	if (tap_node_open(link, if_nametoindex(link), &fd, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return ioctl(fd, TUNSETIFF, &request) < 0 ? -1 : fd;
}

static int open_wire(const char *device)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = 0,
		.sll_ifindex = (int)if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return fd;
}

static int set_mac(int fd, const char *text)
{
	struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
	uint8_t mac[MAC_LEN];

	if (parse_mac(text, mac, NULL) < 0)
		return 2;
	memcpy(request.ifr_hwaddr.sa_data, mac, sizeof(mac));
	return ioctl(fd, SIOCSIFHWADDR, &request) < 0 ? fail("SIOCSIFHWADDR") : 0;
}

/*
 * What becomes of it is none of the sender's business: a packet socket is told by ENOBUFS of what a
 * filter drops, and a tap takes no frame that is shorter than its header.
 */
static int send_frame(int fd, const char *hex)
{
	uint8_t frame[BYTES];
	char pair[3] = "";
	size_t len = 0;

	for (; hex[0] && hex[1] && len < sizeof(frame); hex += 2) {
		memcpy(pair, hex, 2);
		frame[len++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	if (write(fd, frame, len) < 0 && errno != ENOBUFS && errno != EINVAL)
		return fail("write");
	return 0;
}

static void say_frame(int tap)
{
	uint8_t frame[BYTES];
	ssize_t len = read(tap, frame, sizeof(frame));

	if (len <= 0)
		return;
	printf("got ");
	for (ssize_t i = 0; i < len; i++)
		printf("%02x", frame[i]);
	putchar('\n');
}

static int obey(int fd, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "mac ", 4) == 0)
		return set_mac(fd, line + 4);
	return send_frame(fd, line);
}

int main(int argc, char **argv)
{
	const bool wire = argc == 3 && strcmp(argv[1], "--wire") == 0;
	char line[2 * BYTES + 2];
	int fd, code = 0;

	if (argc != 2 && !wire)
		return 2;
	fd = wire ? open_wire(argv[2]) : open_tap(argv[1]);
	if (fd < 0)
		return fail(argv[argc - 1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	puts("ready");
	while (code == 0) {
		struct pollfd fds[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = wire ? -1 : fd, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0)
			return fail("poll");
		if (fds[1].revents)
			say_frame(fd);
		if (fds[0].revents && !fgets(line, sizeof(line), stdin))
			break;
		if (fds[0].revents)
			code = obey(fd, line);
	}
	return code;
}
