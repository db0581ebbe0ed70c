#include "agent/base/range_types.h"

const char *const range_include_words[RANGE_INCLUDES] = {
	[RANGE_NONE] = "none",
	[RANGE_BEGIN] = "begin",
	[RANGE_END] = "end",
	[RANGE_BOTH] = "both",
};

const char *const range_end_test_words[RANGE_END_TESTS] = {
	[RANGE_END_NEXT] = "next",
	[RANGE_END_REST] = "rest",
	[RANGE_END_SAME] = "same",
};

const char *const range_open_end_words[RANGE_OPEN_ENDS] = {
	[RANGE_EMIT] = "emit",
	[RANGE_DROP] = "drop",
};

const char *const range_nest_words[RANGE_NESTS] = {
	[RANGE_FLAT] = "flat",
	[RANGE_RESTART] = "restart",
	[RANGE_COUNT] = "count",
};
