/* links: agent/link_track.c */
#include "agent/link_track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void waits_longer_each_time_then_gives_up(void **state)
{
	static const uint64_t waits[LINK_TRACK_LOSSES_MAX - 1] = { 0,	  1000,	 2000,	4000, 8000,
								   16000, 32000, 60000, 60000 };
	struct link_track track = { 0 };
	uint64_t now = 5000;

	(void)state;
	assert_false(link_track_seen(&track, false, false, now));
	assert_true(link_track_ready(&track, now));
	for (size_t i = 0; i < LINK_TRACK_LOSSES_MAX - 1; i++) {
		assert_false(link_track_seen(&track, true, false, now));
		now += 10;
		assert_true(link_track_seen(&track, false, false, now));
		assert_int_equal(track.next_ms, now + waits[i]);
		assert_false(link_track_failed(&track));
		assert_int_equal(link_track_ready(&track, now), waits[i] == 0);
		assert_int_equal(link_track_due(&track, now), waits[i] ? now + waits[i] : 0);
		now += waits[i];
		assert_true(link_track_ready(&track, now));
	}
	link_track_seen(&track, true, false, now);
	assert_true(link_track_seen(&track, false, false, now));
	assert_true(link_track_failed(&track));
	assert_false(link_track_ready(&track, UINT64_MAX));
	assert_int_equal(link_track_due(&track, now), 0);
}

static void a_long_life_forgives(void **state)
{
	struct link_track track = { 0 };
	uint64_t now = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		link_track_seen(&track, true, false, now);
		link_track_seen(&track, false, false, now);
	}
	assert_int_equal(track.losses, 5);
	link_track_seen(&track, true, false, now);
	link_track_seen(&track, false, false, now + LINK_TRACK_ALIVE_MS);
	assert_int_equal(track.losses, 1);
	assert_true(link_track_ready(&track, now + LINK_TRACK_ALIVE_MS));
}

static void an_excused_loss_does_not_count(void **state)
{
	struct link_track track = { 0 };

	(void)state;
	for (size_t i = 0; i < 2 * LINK_TRACK_LOSSES_MAX; i++) {
		link_track_seen(&track, true, true, 0);
		assert_true(link_track_seen(&track, false, true, 0));
	}
	assert_int_equal(track.losses, 0);
	assert_true(link_track_ready(&track, 0));
}

/* Whoever keeps changing a link is answered later each time, but always. */
static void changes_wait_too(void **state)
{
	static const uint64_t waits[] = { 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct link_track track = { 0 };
	uint64_t now = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		link_track_changed(&track, now);
		assert_int_equal(track.next_ms, now + waits[i]);
		assert_int_equal(link_track_ready(&track, now), waits[i] == 0);
		now += waits[i] < LINK_TRACK_ALIVE_MS ? waits[i] : LINK_TRACK_ALIVE_MS - 1;
	}
	now += LINK_TRACK_ALIVE_MS;
	link_track_changed(&track, now);
	assert_int_equal(track.changes, 1);
	assert_true(link_track_ready(&track, now));
}

static void refusals_wait_too(void **state)
{
	static const uint64_t waits[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct link_track track = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		link_track_refused(&track, 7);
		assert_int_equal(link_track_due(&track, 7), 7 + waits[i]);
		track.next_ms = 0;
	}
	/* Never failed: the kernel may change its mind. */
	for (size_t i = 0; i < 1000; i++)
		link_track_refused(&track, 7);
	assert_false(link_track_failed(&track));
	assert_true(link_track_ready(&track, 7 + LINK_TRACK_WAIT_MAX));
	link_track_done(&track);
	link_track_refused(&track, 100000);
	assert_int_equal(link_track_due(&track, 100000), 101000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_longer_each_time_then_gives_up),
		cmocka_unit_test(a_long_life_forgives),
		cmocka_unit_test(an_excused_loss_does_not_count),
		cmocka_unit_test(changes_wait_too),
		cmocka_unit_test(refusals_wait_too),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
