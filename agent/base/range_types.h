/* How ranges of lines are taken, in the words of the configuration: shared by it and capture. */
#ifndef TW_RANGE_TYPES_H
#define TW_RANGE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* Which of its delimiters belong to what is shown of a range; a mask of the two. */
enum range_include {
	RANGE_NONE = 0,
	RANGE_BEGIN = 1 << 0,
	RANGE_END = 1 << 1,
	RANGE_BOTH = RANGE_BEGIN | RANGE_END,
	RANGE_INCLUDES
};

/* Where END may stand that closes a range. */
enum range_end_test {
	RANGE_END_NEXT, /* on a line behind that of BEGIN, as in sed */
	RANGE_END_REST, /* also on the line of BEGIN, behind the match of BEGIN */
	RANGE_END_SAME, /* also anywhere on the line of BEGIN, as in awk */
	RANGE_END_TESTS
};

/* What becomes of a range that END never closed. */
enum range_open_end {
	RANGE_EMIT, /* it is shown, as it comes */
	/* it is not: whoever shows lines keeps those of a range back until it is closed */
	RANGE_DROP,
	RANGE_OPEN_ENDS
};

/* What BEGIN means inside a range. A line that closes the range is not looked at for it. */
enum range_nest {
	RANGE_FLAT, /* nothing */
	RANGE_RESTART, /* the range before is closed, and another begins */
	RANGE_COUNT, /* one END more is needed */
	RANGE_NESTS
};

extern const char *const range_include_words[RANGE_INCLUDES];
extern const char *const range_end_test_words[RANGE_END_TESTS];
extern const char *const range_open_end_words[RANGE_OPEN_ENDS];
extern const char *const range_nest_words[RANGE_NESTS];

struct range_conf {
	enum range_include include;
	enum range_end_test end_test;
	enum range_open_end open_end;
	enum range_nest nest;
	bool outside; /* what is shown is the lines that are in no range, whatever `include` */
	uint64_t max_lines, max_bytes; /* of one range with its delimiters; 0: no limit */
	uint64_t idle_ns; /* without a line; 0: no limit */
};

#endif
