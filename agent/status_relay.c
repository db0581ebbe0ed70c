#include "agent/status_relay.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *direction_json(const struct stats_relay *stats, enum stats_direction direction)
{
	const stat_counter *latency = stats->latency[direction];
	json_t *dropped = json_object();

	for (unsigned int i = 0; i < STATS_RELAY_DROPS; i++)
		json_object_set_new(dropped, stats_relay_drop_names[i],
				    integer(stat_get(&stats->dropped[direction][i])));
	return json_pack("{s:o, s:{s:I, s:I}}", "dropped", dropped, "latency", "p50_ns",
			 (json_int_t)stats_latency_quantile(latency, 500), "p99_ns",
			 (json_int_t)stats_latency_quantile(latency, 990));
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

json_t *status_relay_json(const struct stats_page *stats, const struct source *source)
{
	const struct stats_relay *relay = relay_of(stats, source);

	if (!relay)
		return json_null();
	return json_pack("{s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "attached",
			 source->peer && source_peer_attached(source->peer), "from_guest",
			 direction_json(relay, STATS_FROM_GUEST), "to_guest",
			 direction_json(relay, STATS_TO_GUEST), "peers",
			 (json_int_t)stat_get(&relay->peers), "injected",
			 (json_int_t)stat_get(&relay->injected), "protocol",
			 (json_int_t)stat_get(&relay->protocol), "failed",
			 (json_int_t)stat_get(&relay->failed), "late",
			 (json_int_t)stat_get(&relay->late));
}
