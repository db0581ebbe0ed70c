/*
 * Ranges of lines: from a line that matches BEGIN to the next that matches END, both included.
 *
 * Pure: a state machine that is told lines, one by one or in runs that hold no delimiter, and says
 * which of them are shown. What a range is, is exactly what `sed -n '/BEGIN/,/END/p'` prints, for
 * RANGE_END_NEXT, RANGE_FLAT and no limit: the line of BEGIN is not looked at for END, and the line
 * of END begins no other range. `include` then takes the lines of the delimiters away.
 */
#ifndef TW_RANGE_H
#define TW_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/range_types.h"

enum range_reason {
	RANGE_CLOSED_END, /* END was found */
	RANGE_CLOSED_EOF,
	RANGE_CLOSED_LIMIT, /* max_lines or max_bytes: the next line is outside */
	RANGE_CLOSED_IDLE,
	RANGE_CLOSED_GAP, /* something of the input is missing here */
	RANGE_CLOSED_CLOSED, /* the flow or the log it came from was closed */
	RANGE_CLOSED_RESTART,
	RANGE_REASONS
};

/* A range that is closed. Lines and bytes with its delimiters, and those that are shown. */
struct range_closed {
	enum range_reason reason;
	uint64_t lines, bytes;
	uint64_t shown_lines, shown_bytes;
};

/* What a line did. */
struct range_step {
	bool closed_before; /* the open range was closed, and the line is none of its lines: */
	struct range_closed before;
	bool opened; /* the line begins a range */
	bool shown;
	bool closed; /* the line ends the range: */
	struct range_closed range;
};

/* Asked only where the answer matters, and for one line both at most once. */
struct range_test {
	/* Whether BEGIN is on the line; `ret_behind` is set to where its match ends. */
	bool (*begins)(void *data, size_t *ret_behind);
	/* Whether END is on the line, with its match not starting before `from`. */
	bool (*ends)(void *data, size_t from);
	void *data;
};

struct range {
	struct range_conf conf;
	bool open;
	uint32_t depth; /* of BEGINs without END, for RANGE_COUNT */
	struct range_closed so_far;
	uint64_t last_ns;
};

void range_init(struct range *range, const struct range_conf *conf);

/* One line of `bytes` bytes; `now_ns` is of any clock, and matters only with idle_ns. */
void range_line(struct range *range, size_t bytes, uint64_t now_ns, const struct range_test *test,
		struct range_step *ret);

/*
 * Whether lines may be told in runs: those up to the next one that matches END inside a range.
 * Outside, those up to the next one that matches BEGIN may always be. Both are only counted.
 */
bool range_takes_runs(const struct range *range);

/* A run of such lines, all inside a range or all outside. Returns whether they are shown. */
bool range_run(struct range *range, uint64_t lines, uint64_t bytes);

/* Closes the range, if one is open: true, and `ret` is set. */
bool range_close(struct range *range, enum range_reason reason, struct range_closed *ret);

/* As range_close() when nothing came for idle_ns. */
bool range_tick(struct range *range, uint64_t now_ns, struct range_closed *ret);

/* "end", "eof", "limit", "idle", "gap", "closed", "restart". */
const char *range_reason_name(enum range_reason reason);

#endif
