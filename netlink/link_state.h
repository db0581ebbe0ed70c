/* Observed links: what one RTM_NEWLINK says, and the table of all of them. Pure. */
#ifndef TW_LINK_STATE_H
#define TW_LINK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/link_types.h"
#include "agent/base/parse.h"

struct nlmsghdr;

#define LINK_KIND_TEXT_MAX 32

/* Of an alias its beginning: ours is shorter than this, and so is not the beginning of another. */
#define LINK_ALIAS_SIZE 112

/* Room for as many as we set; names that programs make up are shorter. */
#define LINK_ALTNAMES_SIZE (LINK_ALTNAMES_MAX * ALTNAME_SIZE + 1)

/* What few links have, and takes the most room. */
struct link_lists {
	char altnames[LINK_ALTNAMES_SIZE]; /* each with its NUL; an empty one ends them */
	bool altnames_more; /* there are others that found no room here */
	struct link_sources sources; /* in mode source alone */
};

/*
 * Of IFLA_STATS64, zero where that was not asked for; packets and bytes as the kernel counts them
 * for the link.
 */
struct link_stats {
	uint64_t rx_packets, tx_packets;
	uint64_t rx_bytes, tx_bytes;
	uint64_t rx_dropped, tx_dropped;
};

/* What filters of ours the link has: see tc_filter.h. */
struct link_tc {
	bool known; /* it was asked */
	bool has_clsact;
	bool has_ingress; /* its older brother, of others, in the same place */
	uint32_t drops; /* by all filters on it, ours and others', in both directions */
	uint64_t programs[LINK_HOOKS]; /* tc_hash() of ours; 0: none */
};

struct link_state {
	uint32_t ifindex;
	uint16_t type; /* ARPHRD_* of linux/if_arp.h */
	char name[IFNAME_SIZE];
	char kind_text[LINK_KIND_TEXT_MAX]; /* IFLA_INFO_KIND; "" for a device without one */
	bool is_macvlan; /* macvlan or macvtap: kind and macvlan_mode mean something */
	enum link_kind kind;
	uint32_t macvlan_mode; /* MACVLAN_MODE_* of linux/if_link.h; 0: not told */
	uint32_t macvlan_flags; /* MACVLAN_FLAG_* */
	uint32_t bcqueuelen; /* what this link asked for: its lower device has the longest of all */
	int32_t bccutoff; /* of its lower device */
	uint32_t lower; /* ifindex; 0: none */
	bool lower_elsewhere; /* `lower` counts in another namespace, */
	int32_t lower_nsid; /* which has this id here (IFLA_LINK_NETNSID) */
	uint32_t master; /* ifindex; 0: none */
	bool is_bridge_port; /* hairpin means something */
	bool hairpin; /* a frame may leave by the port that it came in by (bridge(8)) */
	uint8_t mac[MAC_LEN]; /* all zero: none, or not of 6 bytes */
	uint32_t mtu;
	uint32_t txqueuelen;
	uint32_t flags; /* IFF_* */
	bool host_ipv6; /* the host's stack runs IPv6 on it */
	uint32_t group;
	char alias[LINK_ALIAS_SIZE];
	struct link_lists *lists; /* NULL: none; see link_state_lists() */
	struct link_stats stats;
	struct link_tc tc; /* not of RTM_NEWLINK, but by link_filters_look() */
	dev_t tap; /* nor this: of a macvtap, by tap_node_dev(); 0: not asked */
};

/* Empty ones for a link without; never NULL. */
const struct link_lists *link_state_lists(const struct link_state *link);
bool link_state_has_altname(const struct link_state *link, const char *name);

/*
 * Fills `ret` from a message of type RTM_NEWLINK; in its texts '?' stands for what is not printable
 * ASCII. Reads nothing outside nlmsg_len bytes, which must all be there. Returns 0; -EBADMSG for a
 * message that is too short or whose attributes overrun it or have a wrong length; -EINVAL for
 * another type. `ret` is untouched on failure. Its lists, if it has any, are in `room`.
 */
int link_state_parse(const struct nlmsghdr *msg, struct link_lists *room, struct link_state *ret);

/* The counters of one RTM_NEWSTATS, of IFLA_STATS_LINK_64; as link_state_parse(). */
int link_stats_parse(const struct nlmsghdr *msg, uint32_t *ret_ifindex, struct link_stats *ret);

/* All links of one namespace at one moment. Zero-initialise; freed by link_table_done(). */
struct link_table {
	struct link_state *links; /* ordered by ifindex once indexed */
	size_t n;
	size_t cap;
	uint32_t *by_name; /* places in `links`, ordered by name */
};

/* More links than this in one namespace are refused: -E2BIG. */
#define LINK_TABLE_MAX 65536

/* Keeps a copy, of its lists too. Returns 0, -E2BIG or -ENOMEM. */
int link_table_add(struct link_table *table, const struct link_state *link);

/* Orders the table for the finders; call it after the last add. Returns 0 or -ENOMEM. */
int link_table_index(struct link_table *table);
void link_table_reset(struct link_table *table); /* empties it; keeps the memory */
void link_table_done(struct link_table *table);

/* NULL when there is none. The result lives as long as the table is not changed. */
const struct link_state *link_table_find(const struct link_table *table, uint32_t ifindex);
const struct link_state *link_table_find_name(const struct link_table *table, const char *name);

/* By an altname too, as the kernel finds it; that of a macvlan is none of a lower device. */
const struct link_state *link_table_find_lower(const struct link_table *table, const char *name);

/*
 * The device that a macvlan on `lower` really sits on: the kernel puts a macvlan asked for on top
 * of another one beside it, on the same real device (macvlan_common_newlink()). NULL when that is
 * in another namespace.
 */
const struct link_state *link_table_real_lower(const struct link_table *table,
					       const struct link_state *lower);

#endif
