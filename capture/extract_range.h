/*
 * The ranges of an extraction: lines in; those that are shown, or the matches in them, out. Edge.
 */
#ifndef TW_EXTRACT_RANGE_H
#define TW_EXTRACT_RANGE_H

#include "capture/extract_relay.h"
#include "capture/extract_worker.h"
#include "capture/range_text.h"

/* A longer line is looked at for BEGIN and END in its beginning alone, which is a gap. */
#define EXTRACT_RANGE_LINE_MAX ((size_t)16 << 20)

/* BEGIN and END of a pattern, compiled with its flags. Immutable. */
struct extract_range_rule {
	struct range_conf conf;
	struct pattern *begin, *end;
};

/* `conf` has both. The error text is "begin: why" or "end: why"; -EINVAL, -ENOMEM. */
int extract_range_compile(const struct pattern_conf *conf, struct extract_range_rule *ret,
			  struct err *err);
void extract_range_rule_done(struct extract_range_rule *rule);

/* What a text input has to hold of one line. */
size_t extract_range_line_max(const struct extract_range_rule *rule);

struct extract_range {
	struct extract_worker *worker;
	struct range_text text;
	bool in_part; /* of a long line: */
	bool part_shown;

	/* One part of a text that several threads share. */
	struct extract_relay *relay; /* NULL: all of the text is ours */
	uint64_t part, stop; /* lines that begin from `stop` on are of the next part */
	bool last;
	enum {
		RELAY_TO_TAKE,
		RELAY_TO_GIVE,
		RELAY_GIVEN,
	} state;
	struct range_text ahead; /* looks at a piece before it is its turn */
	struct range_places guessed, found;
};

/* For the worker's plan, which has a range. -ENOMEM. */
int extract_range_new(struct extract_worker *worker, struct extract_range **ret);
void extract_range_free(struct extract_range *range);

/* What is fed next is a part of a text, up to `stop` of its bytes, unless it is the last. */
void extract_range_part_begin(struct extract_range *range, struct extract_relay *relay,
			      uint64_t part, uint64_t stop, bool last);

/* Whole lines, from `offset` of the text on. */
void extract_range_feed(struct extract_range *range, const uint8_t *lines, size_t len,
			uint64_t offset);

/*
 * A line in parts. Returns whether it is shown; what is to be done with its parts is then the
 * caller's matter, if there are patterns, and was done, if not.
 */
bool extract_range_part(struct extract_range *range, const uint8_t *part, size_t len,
			uint64_t offset, bool begins, bool last);

/* The input ends, or the part of it. */
void extract_range_end(struct extract_range *range, enum range_reason reason);

/* Complains of what could not be done; the sum of several workers. Returns how many places. */
struct extract_range_losses {
	uint64_t limited, overrun;
};

uint64_t extract_range_tell(const struct extract_plan *plan, const char *source,
			    const struct extract_range_losses *losses);

#endif
