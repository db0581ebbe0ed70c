#include "agent/series.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void series_done(struct series *series)
{
	for (size_t i = 0; i < series->n; i++)
		free(series->links[i].samples);
	free(series->links);
	*series = (struct series){ 0 };
}

int series_step(struct series *series, size_t n, unsigned int steps, int64_t now_s)
{
	struct series_link *links;

	series->steps += steps;
	series->end_s = now_s;
	if (n <= series->n)
		return 0;
	links = realloc(series->links, n * sizeof(*links));
	if (!links)
		return -ENOMEM;
	memset(links + series->n, 0, (n - series->n) * sizeof(*links));
	series->links = links;
	series->n = n;
	return 0;
}

/* ---- samples --------------------------------------------------------------------------------- */

/* Not of one that is unknown. */
static bool was_loud(const struct series_sample *sample)
{
	for (int r = 0; r < STATS_RATES; r++) {
		if (sample->rates[r] > 0)
			return true;
	}
	return false;
}

static struct series_sample rates_since(const struct series_link *link,
					const uint64_t counted[STATS_RATES], double span_s)
{
	struct series_sample sample;

	for (int r = 0; r < STATS_RATES; r++) {
		uint64_t before = counted[r] < link->counted[r] ? 0 : link->counted[r];

		sample.rates[r] = (float)((double)(counted[r] - before) / span_s);
	}
	return sample;
}

static void put(struct series *series, struct series_link *link, unsigned int steps,
		const struct series_sample *sample)
{
	if (!link->samples && !was_loud(sample))
		return;
	if (!link->samples)
		link->samples = calloc(SERIES_SAMPLES, sizeof(*link->samples));
	if (!link->samples) {
		series->unkept += steps;
		return;
	}
	for (unsigned int i = 0; i < steps && i < SERIES_SAMPLES; i++)
		link->samples[(series->steps - i) % SERIES_SAMPLES] = *sample;
}

/* Its counters are of this step, too: those of a place begin with the link. */
static void begin(struct series *series, struct series_link *link, const char *name,
		  unsigned int steps)
{
	free(link->samples);
	memset(link, 0, sizeof(*link));
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->begun = link->seen = series->steps - steps;
}

void series_add(struct series *series, size_t slot, const char *name,
		const uint64_t counted[STATS_RATES], unsigned int steps, double span_s)
{
	struct series_sample sample = { { NAN, NAN, NAN, NAN } };
	struct series_link *link = slot < series->n ? &series->links[slot] : NULL;

	if (!link)
		return;
	if (strcmp(link->name, name) != 0)
		begin(series, link, name, steps);
	if (counted && link->seen + steps == series->steps)
		sample = rates_since(link, counted, span_s);
	put(series, link, steps, &sample);
	if (counted) {
		link->seen = series->steps;
		memcpy(link->counted, counted, sizeof(link->counted));
	} else if (series->steps - link->seen > SERIES_SAMPLES) {
		free(link->samples);
		link->samples = NULL;
		link->begun = series->steps;
	}
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Of the last `max` steps those that there are. */
static uint64_t known(const struct series *series, const struct series_link *link, uint64_t max)
{
	uint64_t n = series->steps - link->begun;

	return n < max ? n : max;
}

static float rate_at(const struct series_link *link, uint64_t step, enum stats_rate rate)
{
	return link->samples ? link->samples[step % SERIES_SAMPLES].rates[rate] : 0;
}

/* A printf for each would take most of the time that the answer for a thousand links takes. */
static void add_integer(struct buf *out, uint64_t n)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	buf_add(out, text + at, sizeof(text) - at);
}

static bool is_bytes(enum stats_rate rate)
{
	return rate == STATS_BYTES_FROM || rate == STATS_BYTES_TO;
}

static void add_list(const struct series *series, const struct series_link *link, uint64_t max,
		     enum stats_rate rate, struct buf *out)
{
	const uint64_t n = link ? known(series, link, max) : 0;

	buf_addc(out, '[');
	for (uint64_t i = n; i-- > 0;) {
		float value = rate_at(link, series->steps - i, rate);

		if (isnan(value))
			buf_adds(out, "null");
		else if (is_bytes(rate))
			add_integer(out, (uint64_t)((double)value + 0.5));
		else
			buf_addf(out, "%.6g", (double)value);
		buf_adds(out, i ? "," : "");
	}
	buf_addc(out, ']');
}

void series_write_link(const struct series *series, size_t slot, const char *name, struct buf *out)
{
	const struct series_link *link = slot < series->n ? &series->links[slot] : NULL;

	if (link && strcmp(link->name, name) != 0)
		link = NULL;
	buf_addf(out, "{\"name\":\"%s\",\"step\":%d,\"end\":%" PRId64 ",\"from_guest\":{\"bytes\":",
		 name, SERIES_STEP_S, series->end_s);
	add_list(series, link, SERIES_SAMPLES, STATS_BYTES_FROM, out);
	buf_adds(out, ",\"frames\":");
	add_list(series, link, SERIES_SAMPLES, STATS_FRAMES_FROM, out);
	buf_adds(out, "},\"to_guest\":{\"bytes\":");
	add_list(series, link, SERIES_SAMPLES, STATS_BYTES_TO, out);
	buf_adds(out, ",\"frames\":");
	add_list(series, link, SERIES_SAMPLES, STATS_FRAMES_TO, out);
	buf_adds(out, "}}");
}

static bool was_heard(const struct series *series, const struct series_link *link)
{
	for (uint64_t i = link->samples ? known(series, link, SERIES_SHORT) : 0; i-- > 0;) {
		if (rate_at(link, series->steps - i, STATS_BYTES_FROM) > 0 ||
		    rate_at(link, series->steps - i, STATS_BYTES_TO) > 0)
			return true;
	}
	return false;
}

void series_write_all(const struct series *series, struct buf *out)
{
	const char *comma = "";

	buf_addf(out, "{\"step\":%d,\"end\":%" PRId64 ",\"links\":[", SERIES_STEP_S, series->end_s);
	for (size_t i = 0; i < series->n; i++) {
		const struct series_link *link = &series->links[i];

		if (!was_heard(series, link))
			continue;
		buf_addf(out, "%s{\"name\":\"%s\",\"from_guest\":", comma, link->name);
		add_list(series, link, SERIES_SHORT, STATS_BYTES_FROM, out);
		buf_adds(out, ",\"to_guest\":");
		add_list(series, link, SERIES_SHORT, STATS_BYTES_TO, out);
		buf_addc(out, '}');
		comma = ",";
	}
	buf_adds(out, "]}");
}
