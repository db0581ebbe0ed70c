/*
 * The rates of the last hour, of each watched link: so that whoever looks sees what was. Pure.
 *
 * A link that was never heard costs a few bytes, another 5.6 KiB: 5.6 MiB for a thousand, 90 MiB
 * for as many as there are counters for.
 */
#ifndef TW_SERIES_H
#define TW_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/parse.h"
#include "agent/base/stats_traffic.h"

#define SERIES_STEP_S  10
#define SERIES_SAMPLES 360u /* an hour */

/* Of all links at once, for a line beside each: ten minutes. */
#define SERIES_SHORT 60u

/* Averages a second over a step; NAN where the link was not watched. */
struct series_sample {
	float rates[STATS_RATES];
};

struct series_link {
	char name[IFNAME_SIZE]; /* "": none */
	uint64_t begun, seen; /* the steps it was first and last watched at */
	uint64_t counted[STATS_RATES]; /* up to the last step */
	struct series_sample *samples; /* SERIES_SAMPLES, by step modulo; NULL: never heard */
};

struct series {
	uint64_t steps; /* so far */
	int64_t end_s; /* of the last, in seconds since the epoch */
	struct series_link *links; /* indexed by slot of the counters page */
	size_t n;
};

void series_done(struct series *series);

/*
 * Some steps of SERIES_STEP_S have passed, mostly one, `span_s` seconds together; at `now_s` the
 * last ended. series_add() follows for each slot from 0 to below `n`. 0 or -ENOMEM.
 */
int series_step(struct series *series, size_t n, unsigned int steps, int64_t now_s);

/*
 * What was counted so far of the link `name` in `slot`, the same for those steps; `counted` NULL:
 * it is not watched. A link of another name begins anew; so do counters that are less than before.
 * -ENOMEM: they are not kept.
 */
int series_add(struct series *series, size_t slot, const char *name,
	       const uint64_t counted[STATS_RATES], unsigned int steps, double span_s);

/*
 * Appends {"name", "step", "end", "from_guest": {"bytes": [...], "frames": [...]}, "to_guest"}:
 * averages a second of each step, the last one ended at `end`; null: it was not watched. Lists
 * begin when it was first watched. `slot` SIZE_MAX: never.
 */
void series_write_link(const struct series *series, size_t slot, const char *name, struct buf *out);

/*
 * Appends {"step", "end", "links": [{"name", "from_guest": [...], "to_guest": [...]}]}: bytes of
 * the last SERIES_SHORT steps, of the links that were heard in them.
 */
void series_write_all(const struct series *series, struct buf *out);

#endif
