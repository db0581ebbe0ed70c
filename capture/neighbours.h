/*
 * The addresses of a link's guest, learned from its ARP, neighbour discovery and DHCP. Pure.
 *
 * A guest's word counts for itself alone: ARP (RFC 826, RFC 5227) and neighbour discovery (RFC
 * 4861, RFC 4862) that it sends under the MAC of its link, and the server's ACK of a request that
 * it sent. The table is bounded; what is told too fast or has no place is counted. A guest that
 * claims the address of another keeps its claim, which is marked: the other's is not touched.
 */
#ifndef TW_NEIGHBOURS_H
#define TW_NEIGHBOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/parse.h"
#include "agent/base/stats.h"
#include "agent/base/time_units.h"
#include "capture/frame.h"

/* New addresses of one link: so many at once, then one a second. */
#define NEIGHBOURS_BURST 16

/* An address whose guest was not heard of it for so long, and has no lease, is anybody's. */
#define NEIGHBOURS_OWNED_NS (600 * NS_PER_S)

/* How long an address stays tentative: RetransTimer of RFC 4861 section 10, and some more. */
#define NEIGHBOURS_DAD_NS (2 * NS_PER_S)

enum neighbours_event_kind {
	NEIGHBOURS_NEW,
	NEIGHBOURS_CONFLICT, /* it is new here, and `other` has it */
	NEIGHBOURS_DUPLICATE, /* somebody else has what the guest wanted; it is forgotten */
	NEIGHBOURS_GONE, /* given back, or another lease took its place */
	NEIGHBOURS_LEASED, /* beside NEW, and with each renewal */
	NEIGHBOURS_FOREIGN, /* the guest sends from a MAC that is not its link's */
	NEIGHBOURS_EVENTS
};

struct neighbours;

struct neighbours_event {
	enum neighbours_event_kind kind;
	struct stats_address address; /* not of FOREIGN */
	const struct neighbours *other; /* of CONFLICT; NULL: */
	const char *elsewhere; /* a link that another worker reads */
	const uint8_t *mac; /* of FOREIGN and DUPLICATE: who; of LEASED: who sent the ACK */
	const uint8_t *server; /* of LEASED: IP address of who sent the ACK, of the same version */
	uint32_t seconds; /* of LEASED */
	uint64_t time_ns;
};

typedef void (*neighbours_cb)(void *data, const struct neighbours *neighbours,
			      const struct neighbours_event *event);

/* Counts up to NEIGHBOURS_BURST, and one more each second. */
struct neighbours_bucket {
	uint64_t empty_ns; /* when it would have been empty, filled at that rate ever since */
};

/* The link of another worker that has an address. */
struct neighbours_owner {
	uint32_t slot;
	char link[IFNAME_SIZE];
};

struct neighbours_claim;

/* All links of a worker, to see what two of them claim. */
struct neighbourhood {
	struct neighbours *first;
	neighbours_cb cb;
	/*
	 * Whether one of another worker's has it, by neighbours_owns(); NULL: there is no other
	 * worker.
	 */
	bool (*elsewhere)(void *data, const struct neighbours *neighbours,
			  const struct neighbours_claim *claim, uint64_t now_ns,
			  struct neighbours_owner *ret);
	void *data;
};

struct neighbours {
	struct neighbourhood *hood;
	struct neighbours *next, **self; /* in it */
	struct stats_guest *guest; /* in the counters pages */
	struct stats_link *counters;
	uint32_t slot;
	uint64_t network; /* the same address on two links of one network is a conflict */
	uint8_t mac[MAC_LEN];
	uint8_t foreign[MAC_LEN]; /* the latest that was told */
	struct neighbours_bucket claims, leases, foreigns;
};

/*
 * Goes on with what `guest` holds; what its writer died in is forgotten. `hood` with its callback,
 * `guest` and `counters` are the caller's and outlive the neighbours. Does not move until
 * neighbours_done().
 */
void neighbours_init(struct neighbours *neighbours, struct neighbourhood *hood,
		     struct stats_guest *guest, struct stats_link *counters, uint32_t slot,
		     uint64_t network, const uint8_t mac[MAC_LEN]);
void neighbours_done(struct neighbours *neighbours);

/* Forgets everything of a link that is another one's place now. */
void neighbours_clear(struct stats_guest *guest, struct stats_link *counters);

/* Whether this guest has what another one claims, and was heard of it. */
bool neighbours_owns(struct stats_guest *guest, const struct neighbours_claim *claim,
		     uint64_t now_ns);

void neighbours_frame(struct neighbours *neighbours, const struct frame *frame,
		      enum stats_direction direction, uint64_t time_ns);

#endif
