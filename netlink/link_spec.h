/* A desired link: what the kernel should have, as plain data. Pure. */
#ifndef TW_LINK_SPEC_H
#define TW_LINK_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/bpf_code.h"
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

/* An expression that frames must match to pass, compiled; n 0: none. */
struct link_filter {
	const struct bpf_op *ops;
	size_t n;
};

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
	char netns[NETNS_NAME_SIZE]; /* where it lives, of parse_netns(); "": here */
	char master[IFNAME_SIZE]; /* a bridge; "": left alone */
	bool is_host_link; /* the host's own leg, with these addresses */
	struct link_addrs addrs;
	enum link_hairpin hairpin; /* of the bridge port that the lower device is plugged into */
	char hairpin_port[IFNAME_SIZE]; /* its name; "": to be found */
	struct tap_rights tap; /* of a macvtap's node in /dev */
	uint32_t guest_uid, guest_gid; /* who runs its guest, which may be at a socket */
	enum anti_spoof anti_spoof; /* never ANTI_SPOOF_AUTO */
	struct guest_addrs addresses; /* with ANTI_SPOOF_MAC_IP */
	uint32_t n_given; /* of them; those behind are leases */
	bool learns; /* leases count */
	struct link_filter filters[LINK_HOOKS]; /* they live as long as the spec */
	uint64_t programs[LINK_HOOKS]; /* tc_hash() of what these make; 0: nothing */
};

/* "tapwarden/SET/LINK" */
void link_spec_alias(const struct link_spec *spec, char ret[LINK_ALIAS_MAX]);

#endif
