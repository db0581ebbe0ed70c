#include "agent/status_traffic.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>

#include "agent/base/time_units.h"

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

/* ---- protocols ------------------------------------------------------------------------------ */

static void write_direction(struct json_writer *w, const char *key,
			    const struct stats_protocol_counters *c, enum stats_direction d)
{
	jw_object(w, key);
	jw_u64(w, "frames", stat_get(&c->frames[d]));
	jw_u64(w, "bytes", stat_get(&c->bytes[d]));
	jw_object_end(w);
}

void status_protocols_write(struct json_writer *w, const struct status_input *in,
			    const struct source *source)
{
	const struct stats_link *counters = counters_of(in->stats, source);

	if (!counters) {
		jw_null(w, "protocols");
		return;
	}
	jw_object(w, "protocols");
	for (int p = 0; p < STATS_PROTOCOLS; p++) {
		const struct stats_protocol_counters *c = &counters->protocols[p];

		if (!stat_get(&c->frames[STATS_FROM_GUEST]) &&
		    !stat_get(&c->frames[STATS_TO_GUEST]))
			continue;
		jw_object(w, stats_protocol_names[p]);
		write_direction(w, "from_guest", c, STATS_FROM_GUEST);
		write_direction(w, "to_guest", c, STATS_TO_GUEST);
		jw_object_end(w);
	}
	jw_object_end(w);
}

static void write_sizes(struct json_writer *w, const char *key, const struct stats_link *counters,
			enum stats_direction d)
{
	jw_array(w, key);
	for (int size = 0; size < STATS_SIZES; size++)
		jw_u64(w, NULL, stat_get(&counters->sizes[size][d]));
	jw_array_end(w);
}

void status_sizes_write(struct json_writer *w, const struct status_input *in,
			const struct source *source)
{
	const struct stats_link *counters = counters_of(in->stats, source);
	bool any = false;

	for (int size = 0; counters && size < STATS_SIZES; size++) {
		for (int d = 0; d < STATS_DIRECTIONS; d++)
			any = any || stat_get(&counters->sizes[size][d]);
	}
	if (!any) {
		jw_null(w, "sizes");
		return;
	}
	jw_object(w, "sizes");
	write_sizes(w, "from_guest", counters, STATS_FROM_GUEST);
	write_sizes(w, "to_guest", counters, STATS_TO_GUEST);
	jw_object_end(w);
}

/* ---- talkers -------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	uint64_t x = stat_get(&((const struct stats_talker *)a)->bytes);
	uint64_t y = stat_get(&((const struct stats_talker *)b)->bytes);

	return x < y ? 1 : -(x > y);
}

static void write_talker(struct json_writer *w, const struct stats_talker *talker)
{
	char address[INET6_ADDRSTRLEN];

	if (talker->version != 4 && talker->version != 6)
		return;
	inet_ntop(talker->version == 4 ? AF_INET : AF_INET6, talker->ip, address, sizeof(address));
	jw_object(w, NULL);
	jw_text(w, "address", address);
	jw_u64(w, "protocol", talker->protocol);
	if (talker->port)
		jw_u64(w, "port", talker->port);
	else
		jw_null(w, "port");
	jw_u64(w, "frames", stat_get(&talker->frames));
	jw_u64(w, "bytes", stat_get(&talker->bytes));
	jw_u64(w, "error", talker->error);
	jw_object_end(w);
}

void status_talkers_write(struct json_writer *w, const char *key, const struct stats_page *stats,
			  const struct source *source, size_t max)
{
	const struct stats_link *counters = counters_of(stats, source);
	struct stats_talkers talkers;

	if (!counters || !stat_get(&counters->talkers) ||
	    !stats_snapshot(&stats->talkers[source->message.slot], &talkers, sizeof(talkers))) {
		jw_null(w, key);
		return;
	}
	if (talkers.n > STATS_TALKERS_MAX)
		talkers.n = STATS_TALKERS_MAX;
	qsort(talkers.list, talkers.n, sizeof(talkers.list[0]), by_bytes);
	jw_object(w, key);
	jw_u64(w, "since", talkers.since_ns / NS_PER_S);
	jw_u64(w, "bytes", stat_get(&talkers.bytes));
	jw_array(w, "list");
	for (size_t i = 0; i < talkers.n && i < max; i++)
		write_talker(w, &talkers.list[i]);
	jw_array_end(w);
	jw_object_end(w);
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

static void write_windows(struct json_writer *w, const char *key,
			  double rates[STATS_WINDOWS][STATS_RATES], enum stats_rate rate)
{
	jw_array(w, key);
	for (int i = 0; i < STATS_WINDOWS; i++)
		jw_hundredths(w, NULL, rates[i][rate]);
	jw_array_end(w);
}

void status_rates_write(struct json_writer *w, double rates[STATS_WINDOWS][STATS_RATES])
{
	bool any = false;

	for (int i = 0; i < STATS_WINDOWS; i++) {
		for (int r = 0; r < STATS_RATES; r++)
			any = any || rates[i][r] >= 0.005;
	}
	if (!any) {
		jw_null(w, "rates");
		return;
	}
	jw_object(w, "rates");
	jw_object(w, "from_guest");
	write_windows(w, "frames", rates, STATS_FRAMES_FROM);
	write_windows(w, "bytes", rates, STATS_BYTES_FROM);
	jw_object_end(w);
	jw_object(w, "to_guest");
	write_windows(w, "frames", rates, STATS_FRAMES_TO);
	write_windows(w, "bytes", rates, STATS_BYTES_TO);
	jw_object_end(w);
	jw_object_end(w);
}
