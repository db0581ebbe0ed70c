/* What a macvlan link can be, in the words of ip-link(8): shared by configuration and netlink. */
#ifndef TW_LINK_TYPES_H
#define TW_LINK_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/parse.h"

enum link_kind {
	LINK_KIND_MACVTAP,
	LINK_KIND_MACVLAN,
	LINK_KINDS
};

enum link_mode {
	LINK_MODE_VEPA,
	LINK_MODE_BRIDGE,
	LINK_MODE_PRIVATE,
	LINK_MODE_PASSTHRU,
	LINK_MODE_SOURCE,
	LINK_MODES,
};

/* Whether a bridge port sends frames back where they came from. */
enum link_hairpin {
	LINK_HAIRPIN_KEEP,
	LINK_HAIRPIN_ON,
	LINK_HAIRPIN_OFF,
	LINK_HAIRPINS
};

/* A set of them is a mask of 1 << enum link_flag, with the bits of MACVLAN_FLAG_*. */
enum link_flag {
	LINK_FLAG_NOPROMISC, /* passthru: the lower device need not be promiscuous */
	LINK_FLAG_NODST, /* source: frames are not delivered by their destination too */
	LINK_FLAGS
};

/*
 * How many links of a lower device may listen to a multicast address before its frames go through
 * the broadcast queue. The lower device has one, whichever link sets it.
 */
struct link_cutoff {
	bool set; /* else it is left alone */
	int32_t value; /* LINK_CUTOFF_OFF: they never do */
};

#define LINK_CUTOFF_OFF	    (-1)
#define LINK_CUTOFF_DEFAULT 1 /* the kernel's, of a new lower device */

/* The MACs from which a link of mode source takes frames. In no order, none twice. */
#define LINK_SOURCES_MAX 64

struct link_sources {
	uint32_t n;
	bool more; /* of a link that is there: only the first are known */
	uint8_t macs[LINK_SOURCES_MAX][MAC_LEN];
};

/* The addresses of a host link. In no order, none twice. */
#define LINK_ADDRS_MAX 8

struct link_addrs {
	uint32_t n;
	struct cidr list[LINK_ADDRS_MAX];
};

/* More names of one link, in ip-link(8) altname: at most 127 characters each (ALTIFNAMSIZ). */
#define LINK_ALTNAMES_MAX 4
#define ALTNAME_SIZE	  128

/* How an inline link's guest is reached: the backends of qemu-system(1) -netdev. */
enum peer_kind {
	PEER_STREAM,
	PEER_DGRAM,
	PEER_KINDS
};

/* By address and prefix. */
bool link_addrs_have(const struct link_addrs *addrs, const struct cidr *cidr);

/* Where frames of a link are filtered. */
enum link_hook {
	LINK_HOOK_FROM_GUEST, /* what the link sends: egress, to the kernel */
	LINK_HOOK_TO_GUEST, /* what it receives: ingress */
	LINK_HOOKS
};

/* Which source addresses a guest may send from. */
enum anti_spoof {
	ANTI_SPOOF_AUTO, /* mac for a macvtap, off for a macvlan: link_anti_spoof() */
	ANTI_SPOOF_OFF,
	ANTI_SPOOF_MAC,
	ANTI_SPOOF_MAC_IP,
	ANTI_SPOOFS
};

/* Addresses, and prefixes of them, that the guest of a link may have. In the order given. */
#define GUEST_ADDRS_MAX 16

/* Beside them: what DHCP gave, an address of each version. */
#define GUEST_LEASES_MAX 2

struct guest_addrs {
	uint32_t n;
	struct cidr list[GUEST_ADDRS_MAX + GUEST_LEASES_MAX];
};

/* Which addresses a guest has besides. */
enum address_learning {
	LEARN_OFF,
	LEARN_DHCP,
	LEARN_KINDS
};

/* What `wanted` comes to for a link of that kind: never ANTI_SPOOF_AUTO. */
enum anti_spoof link_anti_spoof(enum anti_spoof wanted, enum link_kind kind);

bool link_sources_have(const struct link_sources *sources, const uint8_t mac[MAC_LEN]);

/* Indexed by the enums; the tables of allowed words in the configuration are these too. */
extern const char *const link_kind_names[LINK_KINDS];
extern const char *const link_mode_names[LINK_MODES];
extern const char *const link_flag_names[LINK_FLAGS];
extern const char *const link_hairpin_names[LINK_HAIRPINS];
extern const char *const peer_kind_names[PEER_KINDS];
extern const char *const link_hook_names[LINK_HOOKS]; /* "from guest", "to guest" */
extern const char *const anti_spoof_names[ANTI_SPOOFS];
extern const char *const address_learning_names[LEARN_KINDS];

#endif
