/* links: capture/regex_match.c */
/* links: capture/search_time.c capture/regex.c agent/base/err.c agent/base/parse.c */
/* links: agent/base/buf.c */
/* Searches that are left when their time is over, against the same ones that are not. */
#include "capture/search_time.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LEN   1400
#define STEPS 10000000u
#define MS    UINT64_C(1000000)

/* No step of it is counted twice, and each looks at all bytes to come. */
static const char slow_text[] = "slow(?:[a-z](?![a-z]*+\\d))*(?:[a-z](?![a-z]*+\\d))*\\d";

struct fixture {
	struct regex *slow, *quick;
	struct regex_scratch *scratch;
	uint8_t subject[LEN];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static int set_up(void **state)
{
	static struct fixture f;
	struct err err;

	assert_int_equal(
		regex_compile(slow_text, strlen(slow_text), 0, "slow", &f.slow, NULL, &err), 0);
	assert_int_equal(regex_compile("sl(o)w", 6, 0, "quick", &f.quick, NULL, &err), 0);
	assert_int_equal(regex_scratch_new(&f.scratch), 0);
	memset(f.subject, 'a', LEN);
	memcpy(f.subject, "slow", 4);
	assert_int_equal(search_time_start(), 0);
	regex_scratch_guard(f.scratch, &search_time_guard);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	search_time_until(0);
	regex_free(f->slow);
	regex_free(f->quick);
	regex_scratch_free(f->scratch);
	return 0;
}

static enum regex_result search(const struct fixture *f, const struct regex *regex)
{
	return regex_match(regex, f->scratch, f->subject, LEN, 0, 0, STEPS);
}

static void a_search_is_left_in_time_and_the_next_one_finds(void **state)
{
	const struct fixture *f = *state;
	uint64_t begun = now_ns(), whole;

	regex_scratch_guard(f->scratch, NULL);
	assert_int_equal(search(f, f->slow), REGEX_NO_MATCH);
	whole = now_ns() - begun;
	regex_scratch_guard(f->scratch, &search_time_guard);
	for (int i = 0; i < 20; i++) {
		begun = now_ns();
		search_time_until(begun + whole / 50);
		assert_int_equal(search(f, f->slow), REGEX_LIMIT);
		assert_false(regex_was_skipped(f->scratch));
		assert_true(now_ns() - begun < whole / 2);
		/* The time is over for others, too. */
		assert_int_equal(search(f, f->quick), REGEX_LIMIT);
		assert_true(regex_was_skipped(f->scratch));
		search_time_until(0);
		assert_int_equal(search(f, f->quick), REGEX_MATCH);
		assert_int_equal(regex_span(f->scratch, 1).start, 2);
	}
}

static void who_has_time_is_not_disturbed(void **state)
{
	const struct fixture *f = *state;

	search_time_until(now_ns() + 600000 * MS);
	for (int i = 0; i < 20; i++)
		assert_int_equal(regex_match(f->slow, f->scratch, f->subject, LEN / 4, 0, 0, STEPS),
				 REGEX_NO_MATCH);
}

static atomic_bool spins;

static void *spin(void *data)
{
	(void)data;
	while (atomic_load(&spins))
		;
	return NULL;
}

/* Another thread's ticks and its CPU time are not those of the search. */
static void another_thread_at_work_takes_no_time_of_a_search(void **state)
{
	const struct fixture *f = *state;
	uint64_t begun = now_ns(), most = SEARCH_CPU_MAX_MS * MS;
	pthread_t thread;
	sigset_t ticks;

	sigemptyset(&ticks);
	sigaddset(&ticks, SIGVTALRM);
	atomic_store(&spins, true);
	assert_int_equal(pthread_create(&thread, NULL, spin, NULL), 0);
	/* All ticks go to the other one: to come back from it would be to another stack. */
	pthread_sigmask(SIG_BLOCK, &ticks, NULL);
	search_time_until(begun);
	while (now_ns() - begun < most / 5)
		assert_int_equal(search(f, f->quick), REGEX_MATCH);
	pthread_sigmask(SIG_UNBLOCK, &ticks, NULL);
	atomic_store(&spins, false);
	pthread_join(thread, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_search_is_left_in_time_and_the_next_one_finds),
		TEST(who_has_time_is_not_disturbed),
		TEST(another_thread_at_work_takes_no_time_of_a_search),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
