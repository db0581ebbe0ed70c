#include "netlink/lower_fit.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#define OTHER_LOWER "another lower device is needed"

/*
 * A device has one rx_handler: bridge port, bond member, ipvlan and macvlan exclude each other.
 * What is in a VRF keeps it free (do_vrf_add_slave() in drivers/net/vrf.c).
 */
static bool is_port(const struct link_table *lowers, const struct link_state *lower, char *text,
		    size_t size)
{
	const struct link_state *master;

	if (!lower->master)
		return false;
	master = link_table_find(lowers, lower->master);
	if (master && strcmp(master->kind_text, "vrf") == 0)
		return false;
	if (master)
		(void)snprintf(text, size,
			       "the lower device %s is a port of the %s %s: %s itself can be the "
			       "lower device",
			       lower->name, *master->kind_text ? master->kind_text : "device",
			       master->name, master->name);
	else
		(void)snprintf(text, size,
			       "the lower device %s is a port of another device: " OTHER_LOWER,
			       lower->name);
	return true;
}

static bool has_ipvlan(const struct link_table *lowers, const struct link_state *lower, char *text,
		       size_t size)
{
	for (size_t i = 0; i < lowers->n; i++) {
		const struct link_state *link = &lowers->links[i];

		if (strncmp(link->kind_text, "ipv", 3) != 0 || link->lower != lower->ifindex ||
		    link->lower_elsewhere)
			continue;
		(void)snprintf(text, size, "the %s %s is on %s, and excludes macvlan: " OTHER_LOWER,
			       link->kind_text, link->name, lower->name);
		return true;
	}
	return false;
}

/* macvlan_port_create() and macvlan_common_newlink() in drivers/net/macvlan.c */
bool lower_is_unfit(const struct link_table *lowers, const struct link_state *lower,
		    enum link_kind kind, char *text, size_t size)
{
	if (lower->flags & IFF_LOOPBACK)
		(void)snprintf(
			text, size,
			"the lower device %s is a loopback device, which carries no %s links: " OTHER_LOWER,
			lower->name, link_kind_names[kind]);
	else if (lower->type != ARPHRD_ETHER)
		(void)snprintf(text, size,
			       "the lower device %s is no Ethernet device: " OTHER_LOWER,
			       lower->name);
	else
		return is_port(lowers, lower, text, size) || has_ipvlan(lowers, lower, text, size);
	return true;
}
