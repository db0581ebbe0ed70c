/*
 * What a link's frames are, how fast they come and with whom, for `status`: from the counters
 * pages.
 */
#ifndef TW_STATUS_TRAFFIC_H
#define TW_STATUS_TRAFFIC_H

#include "agent/status.h"

/* Of each link in the whole status; a link by itself has all. */
#define STATUS_TALKERS_FEW 3

/*
 * Members of a link, null for one (NULL) that is not watched:
 *
 *   protocols  {arp, ipv4, ipv6, other, tcp, udp, icmp: {from_guest {frames, bytes}, to_guest}},
 *              those that came; see enum stats_protocol
 *   sizes      {from_guest, to_guest}, each a list of frames by enum stats_size; null before the
 *              first
 *   talkers    {since, bytes, list [address, protocol (number), port or null, frames, bytes,
 *              error]}, the most bytes first, at most `max`; null when there are none
 *   rates      {from_guest {frames, bytes}, to_guest}, each a list of frames or bytes a second,
 *              averages over 1, 10 and 60 seconds; null when all are 0
 *
 * `talkers` has no key of its own: it may be asked for by itself.
 */
void status_protocols_write(struct json_writer *w, const struct status_input *in,
			    const struct source *source);
void status_sizes_write(struct json_writer *w, const struct status_input *in,
			const struct source *source);
void status_talkers_write(struct json_writer *w, const char *key, const struct stats_page *stats,
			  const struct source *source, size_t max);
void status_rates_write(struct json_writer *w, double rates[STATS_WINDOWS][STATS_RATES]);

/* Adds a link's rates to `rates`. */
void status_rates_add(const struct status_input *in, const struct source *source,
		      double rates[STATS_WINDOWS][STATS_RATES]);

#endif
