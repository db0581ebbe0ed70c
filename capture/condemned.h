/*
 * TCP connections, and IP packets in fragments, of which nothing passes any more.
 *
 * Pure over memory that all workers share, at the same time and one after the other: what one has
 * condemned stays so for the next. Either stays as long as its frames keep coming, and CONDEMNED_S
 * or CONDEMNED_FRAGMENTS_S more. A new connection between the same ports takes its place once both
 * ends have opened it: whoever answers a SYN by one has nothing left of the old. Of a full set of
 * the table the one that was quiet for longest goes, and is counted.
 */
#ifndef TW_CONDEMNED_H
#define TW_CONDEMNED_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/stats.h"
#include "capture/flow.h"

/*
 * Its ends need not have forgotten it before: nf_conntrack_tcp_timeout_established of the kernel.
 */
#define CONDEMNED_S 432000u

/*
 * More than receivers wait for the rest of a packet (RFC 1122 section 3.3.2), whose number comes
 * again.
 */
#define CONDEMNED_FRAGMENTS_S 300u

/* By the seed of the table, so that nobody outside can choose two with the same key. */
uint64_t condemned_key(const struct stats_condemned *table, const struct flow_key *key);

/* The same for the fragments of one IP packet. */
uint64_t condemned_fragment_key(const struct stats_condemned *table, const struct frame *frame,
				uint32_t link);

/* Whether it is condemned; then its time begins anew. */
bool condemned_has(struct stats_condemned *table, uint64_t key, uint64_t now_ns);

/*
 * A segment of a condemned connection, sent by `end` (flow_key_of()), that may pass because it ends
 * that, or opens another: one without data that is a RST, a SYN, the answer to it of an end that
 * has the old one still (RFC 5961 section 4), the SYN that answers it from the other side of the
 * link, which ends the condemnation.
 */
bool condemned_opens(struct stats_condemned *table, uint64_t key, const struct frame *segment,
		     unsigned int end, bool from_guest);

void condemned_add(struct stats_condemned *table, uint64_t key, uint64_t now_ns);

#endif
