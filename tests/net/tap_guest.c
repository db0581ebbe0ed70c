/* links: agent/base/parse.c agent/base/err.c */
/*
 * tap_guest [--wait] LINK NETNS TAP: plays the virtual machine monitor of a guest.
 *
 * Opens the queue of the macvtap LINK as QEMU would, makes the network device TAP, with the MAC of
 * LINK, in the network namespace NETNS, which stands for the guest, and carries frames both ways
 * until it is killed. LINK is looked up in /sys: start it by `ip netns exec HOST`.
 *
 * Says "ready LINK" each time that frames begin to flow. Exit codes: 0 when asked to end, 1 when
 * something failed, 2 for wrong usage, 3 when LINK is gone; with --wait it looks for it instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/base/parse.h"
#include "tests/net/guest_device.h"

/* A macvtap that is deleted gives no event on its fd: only TUNGETIFF tells, so ask this often. */
#define PROBE_MS 100

enum {
	EXIT_GONE = 3
};

struct guest {
	const char *link;
	const char *netns;
	const char *tap_name;
	bool wait;
	int tap;
	int queue;
};

static volatile sig_atomic_t ending;

static void on_signal(int number)
{
	(void)number;
	ending = 1;
}

/* The tap device's number: /dev/tapN may be another namespace's, since N repeats. */
static int find_device(const char *link, dev_t *ret)
{
	char pattern[128];
	char line[32];
	uint64_t number[2];
	glob_t found;
	char *colon;
	int r = -ENODEV;

	(void)snprintf(pattern, sizeof(pattern), "/sys/class/net/%s/tap*/dev", link);
	if (glob(pattern, 0, NULL, &found) != 0)
		return -ENODEV;
	if (found.gl_pathc == 1 && read_line(found.gl_pathv[0], line, sizeof(line)) == 0 &&
	    (colon = strchr(line, ':')) != NULL) {
		*colon = '\0';
		if (parse_u64(line, 0, UINT32_MAX, &number[0], NULL) == 0 &&
		    parse_u64(colon + 1, 0, UINT32_MAX, &number[1], NULL) == 0) {
			*ret = makedev((unsigned int)number[0], (unsigned int)number[1]);
			r = 0;
		}
	}
	globfree(&found);
	return r;
}

static int open_device(dev_t device)
{
	char folder[] = "/tmp/tap_guest.XXXXXX";
	char node[sizeof(folder) + 8];
	int fd = -ENODEV;

	if (mkdtemp(folder) == NULL)
		return -errno;
	(void)snprintf(node, sizeof(node), "%s/node", folder);
	if (mknod(node, S_IFCHR | 0600, device) == 0) {
		fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		(void)unlink(node);
	}
	(void)rmdir(folder);
	return fd;
}

/*
 * The queue without the virtio header: then the kernel finishes checksums and segments by itself,
 * and one read is one frame.
 */
static int open_queue(const char *link, int *ret)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	dev_t device;
	int fd;
	int r = find_device(link, &device);

	if (r < 0)
		return r;
	fd = open_device(device);
	if (fd < 0)
		return fd;
	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETOFFLOAD, 0) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

/* Frames that the other side has no room for are lost, as on a wire. */
static void carry(int from, int to)
{
	static unsigned char frame[FRAME_MAX];
	ssize_t got;

	while ((got = read(from, frame, sizeof(frame))) > 0)
		(void)!write(to, frame, (size_t)got);
}

static bool queue_is_gone(int queue)
{
	struct ifreq request = { 0 };

	return ioctl(queue, TUNGETIFF, &request) < 0;
}

/* Returns when the link is gone or the process is to end. */
static void relay(const struct guest *guest)
{
	while (!ending && !queue_is_gone(guest->queue)) {
		struct pollfd fds[] = {
			{ .fd = guest->queue, .events = POLLIN },
			{ .fd = guest->tap, .events = POLLIN },
		};

		if (poll(fds, 2, PROBE_MS) <= 0)
			continue;
		carry(guest->queue, guest->tap);
		carry(guest->tap, guest->queue);
	}
}

/*
 * 0 with the queue open, or a negative errno; with --wait a link that is not there is waited for.
 */
static int find_queue(struct guest *guest)
{
	int r;

	while ((r = open_queue(guest->link, &guest->queue)) < 0 && guest->wait && !ending)
		(void)poll(NULL, 0, PROBE_MS);
	return r;
}

static int play(struct guest *guest)
{
	bool met = false;

	do {
		int r = find_queue(guest);

		if (r < 0 && !ending) {
			errno = -r;
			(void)complain("cannot open the tap of %s", guest->link);
			return EXIT_FAILURE;
		}
		if (ending)
			break;
		/* A link made again has the same MAC, and the guest keeps its device. */
		if (!met && copy_mac(guest->link, guest->tap_name, guest->tap) < 0)
			return EXIT_FAILURE;
		met = true;
		printf("ready %s\n", guest->link);
		(void)fflush(stdout);
		relay(guest);
		(void)close(guest->queue);
		guest->queue = -1;
	} while (guest->wait && !ending);
	return ending ? EXIT_SUCCESS : EXIT_GONE;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct guest guest = { .tap = -1, .queue = -1 };
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--wait") == 0) {
		guest.wait = true;
		first++;
	}
	if (argc - first != 3) {
		(void)fputs("usage: tap_guest [--wait] LINK NETNS TAP\n", stderr);
		return 2;
	}
	guest.link = argv[first];
	guest.netns = argv[first + 1];
	guest.tap_name = argv[first + 2];
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	if (enter_netns(guest.netns) < 0 || make_tap(guest.tap_name, &guest.tap) < 0)
		return EXIT_FAILURE;
	return play(&guest);
}
