/*
 * The counters, in one set of shared pages: capture workers write, the others read.
 *
 * A memfd that the agent makes once and keeps, so that counters live on when a worker dies. All
 * fields are 64-bit, start at 0 with the agent and, but for log_error, parked, those of streams and
 * what follows one link alone, only ever grow. Relaxed atomics: each counter is exact, two counters
 * need not be of the same moment.
 */
#ifndef TW_STATS_H
#define TW_STATS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/parse.h"
#include "agent/base/stats_guest.h"
#include "agent/base/stats_traffic.h"

#define STATS_MAGIC	   0x74776172u /* "twar" */
#define STATS_VERSION	   13u
#define STATS_LINKS_MAX	   16384u
#define STATS_REASONS_MAX  24u
#define STATS_PATTERNS_MAX 1024u
#define STATS_LOGS_MAX	   64u
#define STATS_CAPTURES_MAX 16u /* capture workers */

typedef _Atomic uint64_t stat_counter;

struct stats_link {
	stat_counter frames[STATS_DIRECTIONS];
	stat_counter
		bytes[STATS_DIRECTIONS]; /* on the wire, without VLAN tags the kernel took off */
	stat_counter payloads; /* that rules were tried on */
	stat_counter matches;
	stat_counter drops; /* lost by the kernel: the ring, or the queue of the tap, was full */
	stat_counter truncated; /* frames longer than the ring keeps */
	stat_counter malformed; /* frames that ended in any reason of stats_capture.malformed */
	stat_counter addresses; /* in its part of stats_page.guests */
	stat_counter claims_dropped; /* addresses without a place, or told too fast */
	stat_counter foreign_macs; /* frames that the guest sent from another MAC, or told one */
	stat_counter talkers; /* in its part of stats_page.talkers */
	stat_counter tag; /* stats_tag() of the link whose guest the slot tells */
	stat_counter
		network; /* of the link that a worker reads now, as its addresses go; 0: none */
	stat_counter name[IFNAME_SIZE / 8]; /* of that link */
	/*
	 * Of a tap that the agent reads: up to where the kernel's count of this interface is in
	 * drops.
	 */
	stat_counter tap_ifindex;
	stat_counter tap_dropped;
	struct stats_protocol_counters protocols[STATS_PROTOCOLS]; /* of that link, as the rates */
	stat_counter sizes[STATS_SIZES][STATS_DIRECTIONS]; /* frames */
	struct stats_rates rates;
};

/* What condemned.h in capture/ is about: shared, since it outlives the worker that condemned. */
#define STATS_CONDEMNED_MAX 32768u

struct stats_condemned_place {
	stat_counter key; /* 0: free */
	stat_counter seen_s; /* CLOCK_REALTIME, of its last frame */
	stat_counter syn; /* of a connection that is being opened in its place; 0: none */
};

struct stats_condemned {
	stat_counter seed; /* set by the agent */
	stat_counter n; /* condemned so far */
	stat_counter evicted; /* of these, those that others pushed out before their time */
	struct stats_condemned_place places[STATS_CONDEMNED_MAX];
};

/* Why a frame of an inline link did not arrive. */
enum stats_relay_drop {
	STATS_RELAY_VERDICT, /* a rule said so */
	STATS_RELAY_NO_PEER, /* no guest is attached */
	STATS_RELAY_FULL, /* the guest does not take what waits for it */
	STATS_RELAY_TAP, /* the tap did not take it: the link is down */
	STATS_RELAY_LENGTH, /* no Ethernet frame has this length */
	STATS_RELAY_FILTER, /* the filter behind the tap would drop it */
	STATS_RELAY_DROPS
};

/*
 * How long frames were in the relay: four buckets for each power of two nanoseconds. A frame counts
 * with the time of its whole batch, so none was in longer than its bucket says.
 */
#define STATS_LATENCY_BUCKETS 128u

struct stats_relay {
	stat_counter dropped[STATS_DIRECTIONS][STATS_RELAY_DROPS];
	stat_counter latency[STATS_DIRECTIONS][STATS_LATENCY_BUCKETS];
	stat_counter peers; /* attached so far */
	stat_counter injected; /* frames of our own: TCP resets */
	stat_counter protocol; /* peers let go because of what they sent */
	stat_counter failed; /* frames for which on-error decided, late ones among them */
	stat_counter late; /* frames whose rules took longer than the deadline */
};

struct stats_pattern {
	stat_counter tried;
	stat_counter matches;
	stat_counter limited; /* subjects given up because a PCRE2 limit was hit */
	stat_counter skipped; /* payloads and chunks where it was not tried: in quarantine */
	stat_counter parked; /* links on which it is in quarantine now */
	stat_counter dropped; /* frames that it kept from passing */
	stat_counter unnoted; /* matches that frames.pcapng has not all comments and frames of */
};

/* Open ranges of a log that the next worker goes on with. */
#define STATS_LOG_RANGES 16u

struct stats_log_range {
	stat_counter rule; /* its signature_id */
	stat_counter depth; /* of BEGINs without END */
	stat_counter lines, bytes; /* so far */
	stat_counter held; /* it is kept back until END, and what was kept is not here */
};

/* A file that is followed; where it goes on is known when the worker dies. */
struct stats_log {
	stat_counter file; /* that is read now: struct ipc_log; 0: none yet */
	stat_counter position; /* in it: what is before was searched, and its records are written */
	stat_counter lines;
	stat_counter bytes;
	stat_counter matches;
	stat_counter limited; /* searches of lines that were given up, or not begun for that */
	stat_counter cut; /* times that the file was truncated */
	stat_counter skipped; /* bytes of lines longer than is searched */
	stat_counter files_lost; /* that took the log's place, and were not read */
	stat_counter ranges_lost; /* that were open when a worker died, and are not gone on with */
	stat_counter ranges_at; /* one more than the position where these are open; 0: not known */
	stat_counter n_ranges; /* also those that have no place here */
	struct stats_log_range ranges[STATS_LOG_RANGES];
};

/* Of the worker that lives: streams and fragments end with it. */
struct stats_streams {
	stat_counter flows; /* that are followed now */
	stat_counter memory; /* bytes that they hold */
	stat_counter gaps;
	stat_counter gap_bytes;
	stat_counter conflicts; /* segments that repeat bytes with others */
	stat_counter dropped; /* segments beyond a bound, or outside any window */
	stat_counter evicted; /* directions of flows whose memory was needed */
	stat_counter refused; /* segments for whose flow there was no memory */
	stat_counter fragments_incomplete; /* IP packets that were given up */
	stat_counter fragments_dropped;
};

/* Of a file beside the log of records. What is none of these was with a worker that died. */
struct stats_entries {
	stat_counter taken;
	stat_counter written;
	stat_counter lost; /* never will be */
	stat_counter told; /* of those lost, by records */
};

/* One for each capture worker. Only the first has a log of records. */
struct stats_capture {
	/*
	 * Of the next record. The first's goes on where the log ends; others count for themselves.
	 */
	stat_counter seq_next;
	stat_counter records; /* written to the log */
	stat_counter log_lost; /* records that could not be written */
	/*
	 * The seq after the last record in the log: what a killed worker left out. Of another than
	 * the first: after the last that the first has taken, written by that one.
	 */
	stat_counter log_next;
	stat_counter log_error; /* errno that keeps a log file from being written now; 0: none */
	stat_counter feed_lost; /* records that the web worker was too slow for */
	struct stats_streams streams;
	struct stats_entries payloads, frames;
	stat_counter pcap_missed; /* matches of streams whose first frames were not held any more */
	stat_counter malformed[STATS_REASONS_MAX]; /* by enum decode_reason (capture/decode.h) */
};

struct stats_page {
	uint32_t magic;
	uint32_t version;
	struct stats_capture capture[STATS_CAPTURES_MAX];
	/*
	 * By worker, so that none waits for what another counts, and in the order of the
	 * configuration.
	 */
	struct stats_pattern patterns[STATS_CAPTURES_MAX][STATS_PATTERNS_MAX];
	stat_counter slots; /* of links, in use so far */
	struct stats_link links[STATS_LINKS_MAX]; /* by the slot that the agent gave */
	struct stats_log logs[STATS_LOGS_MAX]; /* by the slot that the agent gave */
	struct stats_relay relays[STATS_LINKS_MAX]; /* by the same slot; zero unless inline */
	struct stats_condemned condemned;
	struct stats_guest
		guests[STATS_LINKS_MAX]; /* by the same slot, when links[].addresses is not 0 */
	struct stats_talkers talkers[STATS_LINKS_MAX]; /* when links[].talkers is not 0 */
};

static inline void stat_add(stat_counter *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/*
 * The same where there is one writer, as of all that is of a link: a load and a store cost a third
 * of what an addition does that others see as one, and a frame is counted at a dozen places.
 */
static inline void stat_count(stat_counter *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline uint64_t stat_get(const stat_counter *counter)
{
	return atomic_load_explicit((stat_counter *)counter, memory_order_relaxed);
}

/* Never 0. A slot goes from link to link; what one said is not the next one's. */
uint64_t stats_tag(const char *link, const uint8_t mac[MAC_LEN]);

/* "no-peer"; as metric labels and in JSON. */
extern const char *const stats_relay_drop_names[STATS_RELAY_DROPS];

/* The bucket of a time, and the longest time of a bucket, in nanoseconds. */
unsigned int stats_latency_bucket(uint64_t ns);
uint64_t stats_latency_bound(unsigned int bucket);

/*
 * The time that `per_mille` of all counted did not exceed, as its bucket's bound; 0 when nothing
 * was counted.
 */
uint64_t stats_latency_quantile(const stat_counter buckets[STATS_LATENCY_BUCKETS],
				unsigned int per_mille);

/* What all workers counted together, of whom the first `n_workers` live. */
void stats_capture_sum(const struct stats_page *page, unsigned int n_workers,
		       struct stats_capture *ret);
void stats_pattern_sum(const struct stats_page *page, unsigned int n_workers, size_t pattern,
		       struct stats_pattern *ret);

/* A new page set, all zero, as a sealed-size memfd; or a negative errno. */
int stats_create(void);

/* Maps the pages; 0, or -EBADMSG for something that is no page set of this version. */
int stats_map(int fd, struct stats_page **ret);
int stats_map_readonly(int fd, const struct stats_page **ret);

#endif
