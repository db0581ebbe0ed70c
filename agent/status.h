/* The answer to `status`: what is, put together from links, counters and workers. */
#ifndef TW_STATUS_H
#define TW_STATUS_H

#include <jansson.h>

#include "agent/base/config.h"
#include "agent/base/stats.h"
#include "agent/reconcile.h"
#include "agent/sources.h"
#include "agent/status_text.h"
#include "agent/worker.h"

struct status_input {
	const struct config *config;
	const char *config_path;
	const struct reconcile_link *links;
	size_t n_links;
	const struct sources *sources;
	const struct log_files *logs; /* NULL: none */
	const struct stats_page *stats;
	const struct worker *captures;
	unsigned int n_captures;
	const struct worker *web;
	uint32_t generation;
	int64_t started; /* seconds since the epoch */
	const char *reload_error; /* "" when the last reload was taken */
	pid_t pid;
	uint64_t now_ns; /* CLOCK_REALTIME */
	json_t *guests; /* boot_track_json(), which is taken over; NULL: none */
};

/*
 * Replaces what `ret` has; 0, or -ENOMEM, and it is empty.
 *
 *   agent    version, pid, config, generation, started, reload_error
 *   workers  [name, pid, state, restarts, last_death, patterns, jit]
 *   sets     [name, lower, kind, mode, links, up, held, rates, state]
 *   links    [name, set, lower, kind, mode, mac, mtu, ifindex, guest, state, detail, monitor,
 *             tap {node, major, minor, holder {pid, comm, processes, fds} or null} or null,
 *             from_guest {frames, bytes}, to_guest {frames, bytes}   (the kernel's counters),
 *             filtered {frames, direction "from_guest", "to_guest" or "both"} or null (dropped by
 *             filters, in 32 bits of the kernel's, see struct reconcile_drops),
 *             captured {from_guest {frames, bytes}, to_guest {frames, bytes}, payloads, drops,
 *             truncated, malformed} or null, seen {status_seen.h} or null, protocols, rates,
 *             talkers {status_traffic.h} or null, matches,
 *             relay {attached, from_guest, to_guest {dropped {by reason}, latency {p50_ns,
 *             p99_ns}}, peers, injected, protocol, failed, late} or null (of an inline link)]
 *   patterns [name, tried, matches, dropped, limited, skipped (in quarantine), quarantined (links),
 *             unnoted (matches that frames.pcapng has not all comments and frames of)]
 *   logs     [status_logs.h]
 *   guests   [boot_track.h]
 *   capture  records, log_lost, log_error, feed_lost, drops, malformed {reason: frames}
 */
int status_make(const struct status_input *input, struct status_text *ret);

#endif
