/* What one guest boots from, as typed and validated values. Pure. */
#ifndef TW_BOOT_SPEC_H
#define TW_BOOT_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/config_boot.h"
#include "agent/base/err.h"
#include "agent/base/parse_boot.h"

/* udev prints LUN 256 and above in another form, and flat addressing begins there (RFC 4173). */
#define BOOT_LUN_MAX 255

/*
 * RFC 3720 section 8.2.1 asks for 96 bits at least; 255 is the longest value of a login key (5.1).
 */
#define CHAP_SECRET_MIN 12
#define CHAP_SECRET_MAX 255

/* One direction of a login; user and secret are both NULL without it. */
struct chap_pair {
	const char *user;
	const char *secret;
};

/*
 * What is chosen before a disk is made, so that fstab and command line are known before. Where the
 * configuration says nothing, a UUID is made from the names of the guest, its target and the use,
 * hence always the same, and of version 8 (RFC 9562 section 5.8).
 */
struct boot_ids {
	char machine[UUID_TEXT_LEN + 1];
	char disk[UUID_TEXT_LEN + 1]; /* of the partition table */
	char root[UUID_TEXT_LEN + 1];
	char swap[UUID_TEXT_LEN + 1];
	char esp[10]; /* serial of a FAT file system: "XXXX-XXXX" */
};

/* A kernel and its initrd, as those of boot = kernel; NULL where there is none. */
struct boot_system {
	const char *kernel, *initrd, *cmdline;
};

/* Every pointer belongs to the configuration that the spec was made from. */
struct boot_spec {
	const char *guest;
	const char *link;
	uint8_t mac[MAC_LEN]; /* all zero: not known here */
	enum boot_kind kind;
	enum boot_firmware firmware;
	uint32_t caps; /* mask of 1 << enum ipxe_cap */

	/* these of a SAN; NULL and 0 with boot = disk */
	const char *initiator;
	const char *target; /* iSCSI name */
	const struct host_port *portals;
	size_t n_portals;
	uint32_t lun;
	struct chap_pair chap; /* the guest shows who it is */
	struct chap_pair reverse; /* the target does */

	const char *kernel; /* path or URL; NULL except with boot = kernel */
	const char *initrd;
	const char *cmdline; /* NULL: nothing more */
	struct boot_system install, rescue;
	enum boot_seed install_seed;
	uint32_t menu; /* mask of 1 << enum boot_state; 0: none */
	uint32_t menu_timeout; /* seconds; 0: none */
	const char *hostname;
	struct net_address address;
	const char *gateway;
	const struct strv *dns;
	const char *interface;
	const char *root_password; /* crypt(5) hash; NULL: locked */
	const char *suite;
	const char *mirror;
	uint64_t swap; /* bytes */
	struct boot_ids ids;
};

/*
 * Fills `ret`, all but the MAC address. Returns 0, or -EINVAL (naming section and key) when the
 * values do not go together: no target of that name, no portal, CHAP with only one of its halves.
 */
int boot_spec_init(struct boot_spec *ret, const struct config *config,
		   const struct guest_conf *guest, struct err *err);

/* Whether the guest's disk is a LUN. */
bool boot_spec_has_san(const struct boot_spec *spec);

/* Gives the spec the MAC address of its link. Returns whether the link has one. */
bool boot_spec_set_mac(struct boot_spec *spec, const struct link_wish *links, size_t n_links);

/* "192.0.2.1" as "255.255.255.0" of 24; `bits` from 0 to 32. */
#define NETMASK_TEXT_MAX 16
void format_netmask(char out[NETMASK_TEXT_MAX], unsigned int bits);

#endif
