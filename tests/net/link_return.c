/*
 * link_return LINK...: deletes each link, and prints after how many milliseconds one of its name is
 * there again, up and watched by a packet socket. One after the other, with a pause in between, as
 * the agent makes one pass in a while. In the network namespace of the agent. 1 when one stays
 * away.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#define PAUSE_US  1200000 /* the agent makes a pass at most every half second */
#define LOOK_US	  500
#define LIMIT_MS  10000.0
#define LINE_SIZE 256

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1000.0 + (double)ts.tv_nsec / 1e6;
}

static int delete_link(struct mnl_socket *nl, unsigned int ifindex)
{
	unsigned char bytes[256] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(bytes);
	struct ifinfomsg *info;
	const struct nlmsgerr *answer;

	h->nlmsg_type = RTM_DELLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_index = (int)ifindex;
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0 ||
	    mnl_socket_recvfrom(nl, bytes, sizeof(bytes)) < 0)
		return -errno;
	answer = mnl_nlmsg_get_payload(h);
	return answer->error;
}

/* The fifth column of /proc/net/packet is the ifindex of each packet socket. */
static bool is_watched(unsigned int ifindex)
{
	FILE *file = fopen("/proc/net/packet", "re");
	char line[LINE_SIZE], *column, *rest;
	bool yes = false;

	if (!file)
		return false;
	while (!yes && fgets(line, sizeof(line), file)) {
		column = strtok_r(line, " ", &rest);
		for (int i = 1; column && i < 5; i++)
			column = strtok_r(NULL, " ", &rest);
		yes = column && strtoul(column, NULL, 10) == ifindex;
	}
	(void)fclose(file);
	return yes;
}

static bool is_back(int s, const char *name, unsigned int old)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	unsigned int ifindex = if_nametoindex(name);

	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ifindex && ifindex != old && ioctl(s, SIOCGIFFLAGS, &ifr) == 0 &&
	       (ifr.ifr_flags & IFF_UP) && is_watched(ifindex);
}

/* From the moment that the kernel says it is gone. */
static int measure(struct mnl_socket *nl, int s, const char *name)
{
	unsigned int old = if_nametoindex(name);
	int code = old ? delete_link(nl, old) : -ENODEV;
	double start = now_ms();

	if (code < 0) {
		(void)fprintf(stderr, "link_return: %s: %s\n", name, strerror(-code));
		return code;
	}
	while (!is_back(s, name, old)) {
		if (now_ms() - start > LIMIT_MS) {
			(void)fprintf(stderr, "link_return: %s does not come back\n", name);
			return -ETIMEDOUT;
		}
		usleep(LOOK_US);
	}
	printf("%.2f\n", now_ms() - start);
	return 0;
}

int main(int argc, char **argv)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int code = 0;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 || s < 0) {
		perror("link_return");
		return 1;
	}
	for (int i = 1; code == 0 && i < argc; i++) {
		usleep(PAUSE_US);
		code = measure(nl, s, argv[i]);
	}
	close(s);
	mnl_socket_close(nl);
	return code ? 1 : 0;
}
