#include "agent/status_traffic.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>

#define NS_PER_S 1000000000u

static const struct stats_link *counters_of(const struct stats_page *stats,
					    const struct source *source)
{
	const struct stats_link *counters;

	if (!source)
		return NULL;
	counters = &stats->links[source->message.slot];
	return stat_get(&counters->tag) == stats_tag(source->message.name, source->message.mac)
		       ? counters
		       : NULL;
}

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* ---- protocols ------------------------------------------------------------------------------ */

static json_t *direction_json(const struct stats_protocol_counters *c, enum stats_direction d)
{
	return json_pack("{s:o, s:o}", "frames", integer(stat_get(&c->frames[d])), "bytes",
			 integer(stat_get(&c->bytes[d])));
}

json_t *status_protocols_json(const struct status_input *in, const struct source *source)
{
	const struct stats_link *counters = counters_of(in->stats, source);
	json_t *json;

	if (!counters)
		return json_null();
	json = json_object();
	for (int p = 0; p < STATS_PROTOCOLS; p++) {
		const struct stats_protocol_counters *c = &counters->protocols[p];

		if (!stat_get(&c->frames[STATS_FROM_GUEST]) &&
		    !stat_get(&c->frames[STATS_TO_GUEST]))
			continue;
		json_object_set_new(json, stats_protocol_names[p],
				    json_pack("{s:o, s:o}", "from_guest",
					      direction_json(c, STATS_FROM_GUEST), "to_guest",
					      direction_json(c, STATS_TO_GUEST)));
	}
	return json;
}

static json_t *sizes_of(const struct stats_link *counters, enum stats_direction d, uint64_t *sum)
{
	json_t *list = json_array();

	for (int size = 0; size < STATS_SIZES; size++) {
		uint64_t frames = stat_get(&counters->sizes[size][d]);

		*sum += frames;
		json_array_append_new(list, integer(frames));
	}
	return list;
}

json_t *status_sizes_json(const struct status_input *in, const struct source *source)
{
	const struct stats_link *counters = counters_of(in->stats, source);
	uint64_t sum = 0;
	json_t *json;

	if (!counters)
		return json_null();
	json = json_pack("{s:o, s:o}", "from_guest", sizes_of(counters, STATS_FROM_GUEST, &sum),
			 "to_guest", sizes_of(counters, STATS_TO_GUEST, &sum));
	if (sum)
		return json;
	json_decref(json);
	return json_null();
}

/* ---- talkers -------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	uint64_t x = stat_get(&((const struct stats_talker *)a)->bytes);
	uint64_t y = stat_get(&((const struct stats_talker *)b)->bytes);

	return x < y ? 1 : -(x > y);
}

static json_t *talker_json(const struct stats_talker *talker)
{
	char address[INET6_ADDRSTRLEN];

	if (talker->version != 4 && talker->version != 6)
		return NULL;
	inet_ntop(talker->version == 4 ? AF_INET : AF_INET6, talker->ip, address, sizeof(address));
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}", "address", address, "protocol",
			 talker->protocol, "port",
			 talker->port ? json_integer(talker->port) : json_null(), "frames",
			 integer(stat_get(&talker->frames)), "bytes",
			 integer(stat_get(&talker->bytes)), "error", integer(talker->error));
}

json_t *status_talkers_json(const struct stats_page *stats, const struct source *source, size_t max)
{
	const struct stats_link *counters = counters_of(stats, source);
	struct stats_talkers talkers;
	json_t *list;

	if (!counters || !stat_get(&counters->talkers) ||
	    !stats_snapshot(&stats->talkers[source->message.slot], &talkers, sizeof(talkers)))
		return json_null();
	if (talkers.n > STATS_TALKERS_MAX)
		talkers.n = STATS_TALKERS_MAX;
	qsort(talkers.list, talkers.n, sizeof(talkers.list[0]), by_bytes);
	list = json_array();
	for (size_t i = 0; i < talkers.n && i < max; i++)
		json_array_append_new(list, talker_json(&talkers.list[i]));
	return json_pack("{s:o, s:o, s:o}", "since", integer(talkers.since_ns / NS_PER_S), "bytes",
			 integer(stat_get(&talkers.bytes)), "list", list);
}

/* ---- rates ---------------------------------------------------------------------------------- */

void status_rates_add(const struct status_input *in, const struct source *source,
		      double rates[STATS_WINDOWS][STATS_RATES])
{
	const struct stats_link *counters = counters_of(in->stats, source);
	double own[STATS_WINDOWS][STATS_RATES];

	if (!counters)
		return;
	stats_rates_read(&counters->rates, in->now_ns, own);
	for (int w = 0; w < STATS_WINDOWS; w++) {
		for (int r = 0; r < STATS_RATES; r++)
			rates[w][r] += own[w][r];
	}
}

/* More digits say nothing. */
static double hundredths(double n)
{
	return n < 1e15 ? (double)(uint64_t)(n * 100 + 0.5) / 100 : 0;
}

static json_t *windows_json(double rates[STATS_WINDOWS][STATS_RATES], enum stats_rate rate)
{
	json_t *list = json_array();

	for (int w = 0; w < STATS_WINDOWS; w++)
		json_array_append_new(list, json_real(hundredths(rates[w][rate])));
	return list;
}

json_t *status_rates_json(double rates[STATS_WINDOWS][STATS_RATES])
{
	bool any = false;

	for (int w = 0; w < STATS_WINDOWS; w++) {
		for (int r = 0; r < STATS_RATES; r++)
			any = any || rates[w][r] >= 0.005;
	}
	if (!any)
		return json_null();
	return json_pack("{s:{s:o, s:o}, s:{s:o, s:o}}", "from_guest", "frames",
			 windows_json(rates, STATS_FRAMES_FROM), "bytes",
			 windows_json(rates, STATS_BYTES_FROM), "to_guest", "frames",
			 windows_json(rates, STATS_FRAMES_TO), "bytes",
			 windows_json(rates, STATS_BYTES_TO));
}
