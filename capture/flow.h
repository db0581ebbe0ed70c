/*
 * The table of TCP flows that are followed: found by their ends, bounded in memory, oldest out
 * first.
 *
 * Pure. Time is that of the frames. Everything that a flow holds is charged to one account; when it
 * is full, flows that never carried data, or are closed, go first, then those that were quiet for
 * longest. So a flood of connections that are never opened does not push out those that are in use.
 */
#ifndef TW_FLOW_H
#define TW_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/frame.h"

/* The ends in an order that does not depend on who sent: ip[0]:port[0] is the lower one. */
struct flow_key {
	uint8_t ip[2][16];
	uint16_t port[2];
	uint32_t link; /* the same addresses on two links are two flows */
	uint16_t vlan[2]; /* the outer two */
	uint8_t ip_version;
	uint8_t n_vlans;
	uint8_t zero[2];
};

struct stream_segment;
struct stream_piece;
struct stream_kept;

/* What one end sends. Offsets count bytes of the stream from where it was picked up. */
struct stream_half {
	uint64_t offset; /* of the next byte to hand over */
	uint32_t seq; /* its sequence number */
	uint32_t ack; /* the highest that this end acknowledged of the other's bytes */
	uint64_t hole_ns; /* when the first byte behind the hole came */
	struct stream_segment *pending; /* behind a hole, by offset, not overlapping */
	uint32_t pending_bytes;
	uint16_t n_pending;
	uint16_t n_pieces, cap_pieces, first_piece;
	uint32_t fin_seq;
	bool started : 1;
	bool acked : 1; /* ack is known */
	bool has_fin : 1;
	bool ended : 1;
	struct stream_piece *pieces; /* which packets the last bytes came in; a ring */
	void *user; /* of whoever reads the stream */
};

struct flow {
	struct flow_key key;
	uint8_t mac[2][6]; /* of the ends, as in the first frame */
	uint16_t ether_type;
	bool has_data : 1;
	bool in_path : 1, strict : 1; /* as flow_add() was told */
	bool has_side : 1; /* with in_path: it is known that */
	bool from_guest : 1; /* end 0 is on the guest's side */
	bool closed : 1; /* stays for a while, so that a retransmission does not begin it anew */
	struct flow *chain; /* of its bucket */
	struct flow *older, *newer; /* of its list */
	uint64_t last_ns;
	struct stream_half half[2]; /* by the end that sends */
	struct stream_kept
		*kept[]; /* one with in_path: what of both is not acknowledged, or NULL */
};

enum flow_list_id {
	FLOW_YOUNG, /* no data yet, or closed: nothing is lost by dropping it */
	FLOW_LIVE,
	FLOW_STRICT, /* the same of those that are not to be lost sight of */
	FLOW_LISTS
};

struct flow_list {
	struct flow *oldest, *newest;
	size_t n;
};

struct flow_table {
	struct flow **buckets;
	size_t n_buckets; /* a power of two */
	uint64_t seed;
	struct flow_list lists[FLOW_LISTS];
	size_t memory, memory_max; /* bytes */
	bool walked; /* someone walks the lists: no flow is evicted meanwhile */
	/*
	 * Called for a flow that has just been taken out to make room; frees what it holds, not the
	 * flow.
	 */
	void (*evict)(void *data, struct flow *flow);
	void *data;
};

/*
 * `seed` is random where the frames are hostile: it keeps flows from being made to collide.
 * -ENOMEM.
 */
int flow_table_init(struct flow_table *table, size_t memory_max, uint64_t seed,
		    void (*evict)(void *data, struct flow *flow), void *data);

/* Every flow must have been removed. */
void flow_table_done(struct flow_table *table);

/* The key of a frame with ports; returns which end of it sent the frame: 0 or 1. */
unsigned int flow_key_of(const struct frame *frame, uint32_t link, struct flow_key *ret);

/* Whoever does not know the seed cannot choose keys with the same hash. */
uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed);

struct flow *flow_find(const struct flow_table *table, const struct flow_key *key);

/* Where flows are: on a link whose frames wait; where what cannot be searched does not pass. */
struct flow_place {
	bool in_path, strict;
};

/* A new flow that was not there; NULL when there is no room. */
struct flow *flow_add(struct flow_table *table, const struct flow_key *key,
		      const struct frame *frame, unsigned int end, struct flow_place place);

/* Frees the flow, which must hold nothing any more. */
void flow_remove(struct flow_table *table, struct flow *flow);

/* The only way to set these two: they choose the flow's list, of which it becomes the newest. */
void flow_mark(struct flow_table *table, struct flow *flow, bool has_data, bool closed);

/* Makes the flow the newest of its list. */
void flow_touch(struct flow_table *table, struct flow *flow, uint64_t now_ns);

/* The flow that was quiet for longest in the list, or NULL. */
struct flow *flow_oldest(const struct flow_table *table, enum flow_list_id list);

size_t flow_count(const struct flow_table *table);

/*
 * Memory on the table's account. Other flows than `keep` are evicted to make room; NULL when that
 * does not help.
 */
void *flow_alloc(struct flow_table *table, const struct flow *keep, size_t size);
void flow_free(struct flow_table *table, void *memory, size_t size);

/* The same for memory that is not ours: false when there is no room; flow_uncharge() gives back. */
bool flow_charge(struct flow_table *table, const struct flow *keep, size_t size);
void flow_uncharge(struct flow_table *table, size_t size);

/* What a frame from `end` looks like, for records: addresses, ports and tags, no payload. */
void flow_frame(const struct flow *flow, unsigned int end, struct frame *ret);

#endif
