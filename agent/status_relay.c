#include "agent/status_relay.h"

static void write_direction(struct json_writer *w, const char *key, const struct stats_relay *stats,
			    enum stats_direction direction)
{
	const stat_counter *latency = stats->latency[direction];

	jw_object(w, key);
	jw_object(w, "dropped");
	for (unsigned int i = 0; i < STATS_RELAY_DROPS; i++)
		jw_u64(w, stats_relay_drop_names[i], stat_get(&stats->dropped[direction][i]));
	jw_object_end(w);
	jw_object(w, "latency");
	jw_u64(w, "p50_ns", stats_latency_quantile(latency, 500));
	jw_u64(w, "p99_ns", stats_latency_quantile(latency, 990));
	jw_object_end(w);
	jw_object_end(w);
}

static const struct stats_relay *relay_of(const struct stats_page *stats,
					  const struct source *source)
{
	if (!source || source->fd < 0 || source->message.source != IPC_SOURCE_INLINE)
		return NULL;
	return &stats->relays[source->message.slot];
}

uint64_t status_relay_filtered(const struct stats_page *stats, const struct source *source)
{
	const struct stats_relay *relay = relay_of(stats, source);

	return relay ? stat_get(&relay->dropped[STATS_FROM_GUEST][STATS_RELAY_FILTER]) : 0;
}

void status_relay_write(struct json_writer *w, const struct stats_page *stats,
			const struct source *source)
{
	const struct stats_relay *relay = relay_of(stats, source);

	if (!relay) {
		jw_null(w, "relay");
		return;
	}
	jw_object(w, "relay");
	jw_bool(w, "attached", source->peer && source_peer_attached(source->peer));
	write_direction(w, "from_guest", relay, STATS_FROM_GUEST);
	write_direction(w, "to_guest", relay, STATS_TO_GUEST);
	jw_u64(w, "peers", stat_get(&relay->peers));
	jw_u64(w, "injected", stat_get(&relay->injected));
	jw_u64(w, "protocol", stat_get(&relay->protocol));
	jw_u64(w, "failed", stat_get(&relay->failed));
	jw_u64(w, "late", stat_get(&relay->late));
	jw_object_end(w);
}
