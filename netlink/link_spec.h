/* A desired link: what the kernel should have, as plain data. Pure. */
#ifndef TW_LINK_SPEC_H
#define TW_LINK_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/link_types.h"
#include "agent/base/parse.h"
#include "netlink/tap_rights.h"

/*
 * The two ownership marks: the rtnetlink group, atomic with the create, and the alias, which the
 * kernel takes only afterwards (rtnl_newlink() ignores IFLA_IFALIAS). Only a link with both is
 * changed or deleted.
 */
#define LINK_ALIAS_PREFIX "tapwarden/"
#define LINK_ALIAS_MAX	  (sizeof(LINK_ALIAS_PREFIX) + NAME_MAX_LEN + 1 + IFNAME_SIZE)

struct link_spec {
	char name[IFNAME_SIZE];
	char set[NAME_MAX_LEN + 1];
	enum link_kind kind;
	enum link_mode mode;
	char lower[IFNAME_SIZE];
	uint8_t mac[MAC_LEN]; /* unicast, never zero */
	uint32_t flags; /* mask of 1 << enum link_flag */
	struct link_sources sources; /* only of mode source */
	uint32_t mtu; /* 0: left alone, as the next two */
	uint32_t txqueuelen;
	uint32_t bcqueuelen;
	struct link_cutoff bccutoff;
	char altnames[LINK_ALTNAMES_MAX][ALTNAME_SIZE]; /* "": no more; others may be there */
	uint32_t group;
	bool up;
	bool is_host_link; /* the host's own leg, with these addresses */
	struct link_addrs addrs;
	struct tap_rights tap; /* of a macvtap's node in /dev */
};

/* "tapwarden/SET/LINK" */
void link_spec_alias(const struct link_spec *spec, char ret[LINK_ALIAS_MAX]);

#endif
