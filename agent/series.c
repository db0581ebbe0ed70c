#include "agent/series.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/json_writer.h"

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

static int put(const struct series *series, struct series_link *link, unsigned int steps,
	       const struct series_sample *sample)
{
	if (!link->samples && !was_loud(sample))
		return 0;
	if (!link->samples)
		link->samples = calloc(SERIES_SAMPLES, sizeof(*link->samples));
	if (!link->samples)
		return -ENOMEM;
	for (unsigned int i = 0; i < steps && i < SERIES_SAMPLES; i++)
		link->samples[(series->steps - i) % SERIES_SAMPLES] = *sample;
	return 0;
}

/* Its counters are of this step, too: those of a place begin with the link. */
static void begin(const struct series *series, struct series_link *link, const char *name,
		  unsigned int steps)
{
	free(link->samples);
	memset(link, 0, sizeof(*link));
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->begun = link->seen = series->steps - steps;
}

int series_add(struct series *series, size_t slot, const char *name,
	       const uint64_t counted[STATS_RATES], unsigned int steps, double span_s)
{
	struct series_sample sample = { { NAN, NAN, NAN, NAN } };
	struct series_link *link = slot < series->n ? &series->links[slot] : NULL;
	int code;

	if (!link)
		return -ENOMEM;
	if (strcmp(link->name, name) != 0)
		begin(series, link, name, steps);
	if (counted && link->seen + steps == series->steps)
		sample = rates_since(link, counted, span_s);
	code = put(series, link, steps, &sample);
	if (counted) {
		link->seen = series->steps;
		memcpy(link->counted, counted, sizeof(link->counted));
	} else if (series->steps - link->seen > SERIES_SAMPLES) {
		free(link->samples);
		link->samples = NULL;
		link->begun = series->steps;
	}
	return code;
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

static bool is_bytes(enum stats_rate rate)
{
	return rate == STATS_BYTES_FROM || rate == STATS_BYTES_TO;
}

static void write_list(struct json_writer *w, const char *key, const struct series *series,
		       const struct series_link *link, uint64_t max, enum stats_rate rate)
{
	jw_array(w, key);
	for (uint64_t i = link ? known(series, link, max) : 0; i-- > 0;) {
		float value = rate_at(link, series->steps - i, rate);

		if (isnan(value))
			jw_null(w, NULL);
		else if (is_bytes(rate))
			jw_u64(w, NULL, (uint64_t)((double)value + 0.5));
		else
			jw_hundredths(w, NULL, (double)value);
	}
	jw_array_end(w);
}

static void write_times(struct json_writer *w, const struct series *series)
{
	jw_u64(w, "step", SERIES_STEP_S);
	jw_i64(w, "end", series->end_s);
}

void series_write_link(const struct series *series, size_t slot, const char *name, struct buf *out)
{
	const struct series_link *link = slot < series->n ? &series->links[slot] : NULL;
	struct json_writer w = { .out = out };

	if (link && strcmp(link->name, name) != 0)
		link = NULL;
	jw_object(&w, NULL);
	jw_text(&w, "name", name);
	write_times(&w, series);
	jw_object(&w, "from_guest");
	write_list(&w, "bytes", series, link, SERIES_SAMPLES, STATS_BYTES_FROM);
	write_list(&w, "frames", series, link, SERIES_SAMPLES, STATS_FRAMES_FROM);
	jw_object_end(&w);
	jw_object(&w, "to_guest");
	write_list(&w, "bytes", series, link, SERIES_SAMPLES, STATS_BYTES_TO);
	write_list(&w, "frames", series, link, SERIES_SAMPLES, STATS_FRAMES_TO);
	jw_object_end(&w);
	jw_object_end(&w);
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
	struct json_writer w = { .out = out };

	jw_object(&w, NULL);
	write_times(&w, series);
	jw_array(&w, "links");
	for (size_t i = 0; i < series->n; i++) {
		const struct series_link *link = &series->links[i];

		if (!was_heard(series, link))
			continue;
		jw_object(&w, NULL);
		jw_text(&w, "name", link->name);
		write_list(&w, "from_guest", series, link, SERIES_SHORT, STATS_BYTES_FROM);
		write_list(&w, "to_guest", series, link, SERIES_SHORT, STATS_BYTES_TO);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
}
