#include "agent/tap_take.h"

#include <errno.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "netlink/tap_node.h"

static void let_go(struct tap_take *take)
{
	if (take->fd >= 0)
		close(take->fd);
	take->fd = -1;
}

/*
 * What a queue is opened with is a vnet header; what offloads there are is the device's
 * (tap_ioctl()).
 */
static int make_plain(int fd)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int most = INT_MAX;

	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETOFFLOAD, 0) < 0 ||
	    ioctl(fd, TUNSETSNDBUF, &most) < 0)
		return -errno;
	return 0;
}

static void open_tap(struct tap_take *take)
{
	int code = tap_node_open(take->link, take->ifindex, &take->fd, &take->err);

	if (code) {
		take->fd = -1;
		return;
	}
	code = make_plain(take->fd);
	if (code) {
		err_errno(&take->err, code, "could not set the tap of %s up", take->link);
		let_go(take);
	}
}

static struct tap_take *take_of(struct tap_take *list, size_t n, uint32_t ifindex)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].ifindex == ifindex)
			return &list[i];
	}
	return NULL;
}

/* Who holds what; the agent and its children do not count. Lets go of what another holds. */
static void look(struct tap_take *list, size_t n, struct tap_holder *holders)
{
	size_t found = 0;
	int code = 0;

	for (size_t i = 0; i < n; i++) {
		list[i].holder = (struct tap_holder){ .ifindex = list[i].ifindex };
		if (list[i].err.text[0])
			continue;
		if (tap_node_dev(list[i].link, list[i].ifindex, &list[i].holder.dev,
				 &list[i].err) == 0)
			holders[found++] = list[i].holder;
		else
			let_go(&list[i]);
	}
	code = tap_holders_find(holders, found, (struct tap_skip){ .self = getpid() });
	for (size_t i = 0; i < found; i++) {
		struct tap_take *take = take_of(list, n, holders[i].ifindex);

		take->holder = holders[i];
		if (code)
			err_errno(&take->err, code, "who holds the tap of %s cannot be seen",
				  take->link);
		else if (holders[i].pid)
			err_set(&take->err, -EBUSY, "%s (pid %d) holds its tap", holders[i].comm,
				(int)holders[i].pid);
		else
			continue;
		let_go(take);
	}
}

void tap_take_all(struct tap_take *list, size_t n)
{
	struct tap_holder *holders = calloc(n + 1, sizeof(*holders));
	bool opened = false;

	for (size_t i = 0; i < n; i++) {
		list[i].err.text[0] = '\0';
		if (!holders)
			err_errno(&list[i].err, -ENOMEM, "who holds the tap of %s cannot be seen",
				  list[i].link);
		if (!holders)
			let_go(&list[i]);
	}
	if (!holders)
		return;
	look(list, n, holders);
	for (size_t i = 0; i < n; i++) {
		if (list[i].fd >= 0 || list[i].err.text[0])
			continue;
		open_tap(&list[i]);
		opened = opened || list[i].fd >= 0;
	}
	/* Somebody else may have come in between. */
	if (opened)
		look(list, n, holders);
	free(holders);
}
