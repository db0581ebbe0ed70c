/* links: agent/watch_place.c agent/base/buf.c */
#include "agent/watch_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WHOLE "/v1/events?backlog=65536"

struct record {
	bool numbered;
	uint64_t seq, covers;
	const char *text;
};

/* The stream is cut after `before`, and begins with `after`. */
static const struct {
	struct record before, after;
	const char *path, *header;
	enum watch_step step;
	uint64_t missed;
} cases[] = {
	{ { true, 9, 1, "a" },
	  { true, 9, 1, "a" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_SEEN,
	  0 },
	{ { true, 9, 1, "a" },
	  { true, 10, 1, "b" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_ON,
	  0 },
	{ { true, 9, 1, "a" },
	  { true, 12, 1, "b" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_HOLE,
	  2 },
	{ { true, 9, 1, "a" },
	  { true, 0, 1, "b" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_ANEW,
	  0 },
	{ { true, 9, 1, "a" },
	  { true, 3, 1, "b" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_ANEW,
	  3 },
	/* The new agent has come to the same number, or past it. */
	{ { true, 9, 1, "a" },
	  { true, 9, 1, "b" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_ANEW,
	  9 },
	{ { true, 9, 1, "a" },
	  { true, 9, 1, "ab" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_ANEW,
	  9 },
	/* A gap record stands for several. */
	{ { true, 9, 5, "a" },
	  { true, 9, 5, "a" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_SEEN,
	  0 },
	{ { true, 9, 5, "a" },
	  { true, 14, 1, "b" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_ON,
	  0 },
	{ { true, 9, 5, "a" },
	  { true, 11, 1, "b" },
	  "/v1/events",
	  "Last-Event-ID: 8",
	  WATCH_ANEW,
	  11 },
	/* Nothing comes before the first. */
	{ { true, 0, 1, "a" }, { true, 0, 1, "a" }, WHOLE, "", WATCH_SEEN, 0 },
	{ { true, 0, 1, "a" }, { true, 0, 1, "b" }, WHOLE, "", WATCH_ANEW, 0 },
	{ { true, 1, 1, "a" },
	  { true, 1, 1, "a" },
	  "/v1/events",
	  "Last-Event-ID: 0",
	  WATCH_SEEN,
	  0 },
	/* No number was seen: whatever comes is new. */
	{ { false, 0, 0, "a" }, { true, 5, 1, "b" }, WHOLE, "", WATCH_ON, 0 },
};

static enum watch_step take(struct watch_place *place, const struct record *r, uint64_t *ret_missed)
{
	const struct watch_seq seq = { r->numbered, r->seq, r->seq + r->covers };

	return watch_place_take(place, r->text, strlen(r->text), &seq, ret_missed);
}

static void comes_back(void **state)
{
	static const struct record unnumbered = { false, 0, 0, "a" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct record next = { true, cases[i].after.seq + 20, 1, "c" };
		struct watch_place place;
		char header[WATCH_HEADER_MAX];
		uint64_t missed;

		watch_place_init(&place, 4096);
		assert_string_equal(watch_place_ask(&place, header), "/v1/events");
		assert_string_equal(header, "");
		assert_int_equal(take(&place, &cases[i].before, &missed), WATCH_ON);
		assert_int_equal(missed, 0);
		watch_place_cut(&place);
		assert_string_equal(watch_place_ask(&place, header), cases[i].path);
		assert_string_equal(header, cases[i].header);
		/* One without a number tells nothing. */
		assert_int_equal(take(&place, &unnumbered, &missed), WATCH_ON);
		assert_int_equal(take(&place, &cases[i].after, &missed), cases[i].step);
		assert_int_equal(missed, cases[i].missed);
		/* Said once. */
		assert_int_equal(take(&place, &next, &missed), WATCH_ON);
		assert_int_equal(missed, 0);
		watch_place_done(&place);
	}
}

/* What is asked for after a second cut is the new agent's. */
static void goes_on_with_the_new_agent(void **state)
{
	static const struct record records[] = { { true, 900, 1, "old" },
						 { true, 4, 1, "new" },
						 { true, 5, 1, "newer" } };
	struct watch_place place;
	char header[WATCH_HEADER_MAX];
	uint64_t missed;

	(void)state;
	watch_place_init(&place, 4096);
	take(&place, &records[0], &missed);
	watch_place_cut(&place);
	assert_int_equal(take(&place, &records[1], &missed), WATCH_ANEW);
	watch_place_cut(&place);
	watch_place_ask(&place, header);
	assert_string_equal(header, "Last-Event-ID: 3");
	assert_int_equal(take(&place, &records[1], &missed), WATCH_SEEN);
	assert_int_equal(take(&place, &records[2], &missed), WATCH_ON);
	watch_place_done(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(goes_on_with_the_new_agent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
