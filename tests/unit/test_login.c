/* links: web/login.c web/session.c web/throttle.c web/password*.c */
/* links: agent/base/err.c agent/base/buf.c */
#include "web/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/password.h"
#include "web/session.h"
#include "web/throttle.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- throttle -------------------------------------------------------------------------------- */

static void waits_grow_and_end(void **state)
{
	static const uint64_t waits[] = {
		0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000
	};
	struct throttle *t = calloc(1, sizeof(*t));
	uint64_t now = 5000000;

	(void)state;
	for (size_t i = 0; i < COUNT(waits); i++) {
		throttle_failed(t, "192.0.2.1", now);
		assert_int_equal(throttle_wait(t, "192.0.2.1", now, UINT64_MAX), waits[i]);
		assert_int_equal(throttle_wait(t, "192.0.2.1", now, 5000),
				 waits[i] > 5000 ? 5000 : waits[i]);
		assert_int_equal(throttle_wait(t, "192.0.2.2", now, UINT64_MAX), 0);
	}
	assert_int_equal(throttle_wait(t, "192.0.2.1", now + 59999, UINT64_MAX), 1);
	assert_int_equal(throttle_wait(t, "192.0.2.1", now + 60000, UINT64_MAX), 0);
	/* Long after the last failure the next one is a first one. */
	throttle_failed(t, "192.0.2.1", now + 60001);
	assert_int_equal(throttle_wait(t, "192.0.2.1", now + 60001, UINT64_MAX), 0);
	throttle_failed(t, "a", now);
	throttle_failed(t, "a", now);
	throttle_failed(t, "a", now);
	throttle_passed(t, "a");
	assert_int_equal(throttle_wait(t, "a", now, UINT64_MAX), 0);
	free(t);
}

static void places_are_bounded(void **state)
{
	struct throttle *t = calloc(1, sizeof(*t));
	char key[32];

	(void)state;
	for (int i = 0; i < 3; i++)
		throttle_failed(t, "first", 1000);
	for (int i = 0; i < 10 * THROTTLE_PLACES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		throttle_failed(t, key, 2000 + (uint64_t)i);
	}
	assert_int_equal(throttle_wait(t, "first", 1001, UINT64_MAX), 0);
	for (int i = 0; i < 3; i++)
		throttle_failed(t, "last", 9000);
	assert_int_equal(throttle_wait(t, "last", 9000, UINT64_MAX), 1000);
	free(t);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static const struct session *make(struct sessions *s, size_t user, uint8_t seed, uint64_t now)
{
	uint8_t random[SESSION_RANDOM];

	memset(random, seed, sizeof(random));
	random[0] = (uint8_t)user;
	random[1] = (uint8_t)(user >> 8);
	return session_new(s, user, random, now, 1000);
}

static void sessions_begin_and_end(void **state)
{
	struct sessions *s = calloc(1, sizeof(*s));
	char token[SESSION_TOKEN];

	(void)state;
	strcpy(token, make(s, 3, 0xab, 10)->token);
	assert_int_equal(strlen(token), 64);
	assert_int_equal(session_find(s, token, 1009)->user, 3);
	assert_null(session_find(s, token, 1010));
	assert_null(session_find(s, "", 11));
	assert_null(session_find(s, "ab", 11));
	token[63] ^= 1;
	assert_null(session_find(s, token, 11));
	token[63] ^= 1;
	session_end(s, token);
	assert_null(session_find(s, token, 11));
	assert_int_equal(session_count(s, 11), 0);
	free(s);
}

static void one_user_does_not_crowd_out_another(void **state)
{
	struct sessions *s = calloc(1, sizeof(*s));
	char first[SESSION_TOKEN];

	(void)state;
	strcpy(first, make(s, 1, 0, 10)->token);
	for (uint8_t i = 0; i < SESSION_PER_USER; i++)
		assert_non_null(make(s, 2, i, 11));
	assert_non_null(make(s, 2, 200, 12));
	assert_int_equal(session_count(s, 13), 1 + SESSION_PER_USER);
	assert_non_null(session_find(s, first, 13));
	for (size_t user = 3; user < 3 + SESSIONS_MAX; user++)
		make(s, user, 1, 14);
	assert_int_equal(session_count(s, 15), SESSIONS_MAX);
	assert_null(make(s, 9999, 1, 15));
	assert_non_null(make(s, 1, 1, 16));
	assert_null(session_find(s, first, 16));
	assert_non_null(make(s, 9999, 1, 2000));
	free(s);
}

static void cookies(void **state)
{
	static const struct {
		const char *header, *value;
	} cases[] = {
		{ "t=abc", "abc" },
		{ "x=1; t=abc; y=2", "abc" },
		{ "xt=1; t=abc", "abc" },
		{ ";;; t=abc;", "abc" },
		{ "t=", "" },
		{ "xt=abc", NULL },
		{ "T=abc", NULL },
		{ "t", NULL },
		{ "", NULL },
		{ "t=0123456789", NULL },
		{ "t=0123456789; t=abc", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[8] = "-";
		bool found = session_cookie(cases[i].header, "t", out, sizeof(out));

		assert_int_equal(found, cases[i].value != NULL);
		if (found)
			assert_string_equal(out, cases[i].value);
	}
	assert_false(session_cookie(NULL, "t", (char[8]){ 0 }, 8));
}

/* ---- logins ---------------------------------------------------------------------------------- */

static struct user_conf users[] = {
	{ .head.name = "anna",
	  .password = "$5$sOmEsAlT$pKHkGjoFXUgvUv.UYQuekdpjoZx7mqXlIlKJj6abik7" },
	{ .head.name = "ben",
	  .password = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC" },
};
static const struct config config = { .users = users, .n_users = COUNT(users) };

static void on_answer(void *data, size_t user)
{
	*(size_t *)data = user;
}

#define NOT_YET (LOGIN_NOBODY - 1)

static void answers(void **state)
{
	static char longest[PASSWORD_MAX + 2];
	static const struct {
		const char *name, *password;
		size_t user;
	} cases[] = {
		{ "anna", "password", 0 },
		{ "ben", "password", 1 },
		{ "ben", "Password", LOGIN_NOBODY },
		{ "ben", "", LOGIN_NOBODY },
		{ "ben", longest, LOGIN_NOBODY },
		{ "nobody", "password", LOGIN_NOBODY },
		{ "", "", LOGIN_NOBODY },
		{ "Anna", "password", LOGIN_NOBODY },
	};
	size_t got[COUNT(cases)];
	struct login login;
	uv_loop_t loop;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	uv_loop_init(&loop);
	login_init(&login, &loop, &config);
	/* The dearest of the users' hashes, its salt and all, without its digest. */
	assert_string_equal(login.nobody, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1");
	for (size_t i = 0; i < COUNT(cases); i++) {
		got[i] = NOT_YET;
		assert_non_null(
			login_ask(&login, cases[i].name, cases[i].password, on_answer, &got[i]));
		assert_true(login.running <= LOGIN_THREADS);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(got[i], cases[i].user);
	assert_int_equal(login.accepted, 2);
	assert_int_equal(login.rejected, 6);
	assert_int_equal(login.running, 0);
	assert_int_equal(login.memory, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void bounds(void **state)
{
	size_t got[LOGIN_THREADS + LOGIN_QUEUE + 1];
	struct login_job *jobs[COUNT(got)];
	struct login login;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	login_init(&login, &loop, &config);
	for (size_t i = 0; i < COUNT(got); i++) {
		got[i] = NOT_YET;
		jobs[i] = login_ask(&login, "anna", "x", on_answer, &got[i]);
		assert_int_equal(jobs[i] != NULL, i < COUNT(got) - 1);
	}
	assert_int_equal(login.refused, 1);
	assert_int_equal(login.running, LOGIN_THREADS);
	assert_int_equal(login.waiting, LOGIN_QUEUE);
	login_forget(jobs[5]);
	login_close(&login);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(got[0], LOGIN_NOBODY);
	assert_int_equal(got[5], NOT_YET);
	assert_int_equal(got[LOGIN_THREADS + 1], NOT_YET);
	assert_int_equal(login.waiting, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Two hashes of 128 MiB are above the budget: one at a time. */
static void memory_budget(void **state)
{
	char setting[PASSWORD_HASH_SIZE], hash[PASSWORD_HASH_SIZE];
	struct user_conf dear = { .head.name = "dear", .password = hash };
	const struct config dears = { .users = &dear, .n_users = 1 };
	size_t got[3] = { NOT_YET, NOT_YET, NOT_YET };
	struct login login;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(password_setting(password_method_find("yescrypt"), NULL, 8, setting, NULL),
			 0);
	assert_int_equal(password_hash("secret", setting, hash, NULL), 0);
	uv_loop_init(&loop);
	login_init(&login, &loop, &dears);
	for (size_t i = 0; i < COUNT(got); i++)
		assert_non_null(login_ask(&login, "dear", "secret", on_answer, &got[i]));
	while (uv_run(&loop, UV_RUN_ONCE)) {
		assert_true(login.running <= 1);
		assert_true(login.memory <= LOGIN_MEMORY);
	}
	for (size_t i = 0; i < COUNT(got); i++)
		assert_int_equal(got[i], 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_grow_and_end),
		cmocka_unit_test(places_are_bounded),
		cmocka_unit_test(sessions_begin_and_end),
		cmocka_unit_test(one_user_does_not_crowd_out_another),
		cmocka_unit_test(cookies),
		cmocka_unit_test(answers),
		cmocka_unit_test(bounds),
		cmocka_unit_test(memory_budget),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
