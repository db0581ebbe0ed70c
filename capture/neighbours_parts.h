/* What the files of neighbours.h share: claims, and the table that takes them. Pure. */
#ifndef TW_NEIGHBOURS_PARTS_H
#define TW_NEIGHBOURS_PARTS_H

#include "capture/neighbours.h"

/* What a frame says that the guest has. */
struct neighbours_claim {
	uint8_t ip[16];
	uint8_t version;
	enum stats_learned learned;
	bool tentative;
	uint16_t vlan;
	uint64_t until_ns; /* 0: it is no lease */
};

struct neighbours_claim neighbours_claim(const struct frame *frame, uint8_t version,
					 const uint8_t *ip, enum stats_learned learned);

/* An address that one host can have: no multicast, loopback or none at all. */
bool neighbours_is_host(uint8_t version, const uint8_t *ip);

/* NULL: it is not known. */
struct stats_address *neighbours_find(struct stats_guest *guest,
				      const struct neighbours_claim *claim);

/* Takes the claim if it is a host's, as fast as `bucket` lets new ones in. */
void neighbours_learn(struct neighbours *neighbours, const struct neighbours_claim *claim,
		      struct neighbours_bucket *bucket, uint64_t now_ns);

/* Takes an address out of the table and tells why: `kind`, and of whom (`mac`, or NULL). */
void neighbours_forget(struct neighbours *neighbours, struct stats_address *address,
		       enum neighbours_event_kind kind, const uint8_t *mac, uint64_t now_ns);

/* A UDP datagram of a client or server of DHCP. */
void neighbours_dhcp(struct neighbours *neighbours, const struct frame *frame,
		     enum stats_direction direction, uint64_t now_ns);

#endif
