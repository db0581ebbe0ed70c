#include "netlink/wire_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink/nl_channel.h"

#define TUN_NODE "/dev/net/tun"

/* The kernel puts a number in (dev_alloc_name()). */
#define TAP_NAME "tw-wire%d"

/* Fills in the name and the number of the tap that `fd` becomes. */
static int make_tap(int fd, struct ifreq *ret, struct err *err)
{
	*ret = (struct ifreq){ .ifr_name = TAP_NAME, .ifr_flags = IFF_TAP | IFF_NO_PI };
	if (ioctl(fd, TUNSETIFF, ret) < 0)
		return err_errno(err, -errno, "could not make a tap");
	return 0;
}

/* What is sent to one that is down is an error (tun_get_user()). */
static int set_up(struct ifreq *tap, uint32_t *ret_ifindex, struct err *err)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int code = 0;

	if (fd < 0)
		return err_errno(err, -errno, "could not open a socket");
	tap->ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, tap) < 0 || ioctl(fd, SIOCGIFINDEX, tap) < 0)
		code = err_errno(err, -errno, "could not set %s up", tap->ifr_name);
	else
		*ret_ifindex = (uint32_t)tap->ifr_ifindex;
	close(fd);
	return code;
}

static int take_ack(size_t i, const struct nlmsghdr *answer, void *data)
{
	struct nl_ack ack;

	(void)i;
	(void)data;
	return nl_ack_parse(answer, &ack) == 0 ? ack.error : 0;
}

static int redirect(uint32_t from, uint32_t to, struct err *err)
{
	struct nl_channel *channel;
	struct tc_batch batch = { 0 };
	int code = nl_channel_open_requests(&channel, err);

	if (code < 0)
		return code;
	tc_add_clsact(&batch, from);
	tc_add_redirect(&batch, from, to);
	code = nl_channel_exchange(channel, &batch, take_ack, NULL, err);
	if (code < 0)
		err_errno(err, code, "could not hand a tap's frames over (act_mirred)");
	tc_batch_done(&batch);
	nl_channel_free(channel);
	return code;
}

int wire_tap_open(uint32_t ifindex, struct err *err)
{
	int fd = open(TUN_NODE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	uint32_t number = 0;
	struct ifreq tap;
	int code;

	if (fd < 0)
		return err_errno(err, -errno, "could not open " TUN_NODE);
	code = make_tap(fd, &tap, err);
	if (code == 0)
		code = set_up(&tap, &number, err);
	if (code == 0)
		code = redirect(number, ifindex, err);
	if (code == 0)
		return fd;
	close(fd);
	return code;
}
