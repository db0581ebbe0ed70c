/* links: web/password*.c agent/base/err.c */
#include "web/password.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is known of `password`, of crypt(3) of other libcs and of notes. */
static const struct {
	const char *hash, *method;
	uint64_t cost, memory;
	bool weak;
} known[] = {
	{ "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC", "yescrypt",
	  5, 16u << 20, false },
	{ "$2b$05$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu", "bcrypt", 5, 0, true },
	{ "$1$sOmEsAlT$/P0kMFJ2ixP2kgbWM542W/", "md5crypt", 0, 0, true },
	{ "$5$sOmEsAlT$pKHkGjoFXUgvUv.UYQuekdpjoZx7mqXlIlKJj6abik7", "sha256crypt", 5000, 0, true },
	{ "$5$rounds=500000$sOmEsAlT$DzBP0kiOjmH/5iHVcdSvekzreCIo.OYOYn.JVhRDA81", "sha256crypt",
	  500000, 0, false },
	{ "$6$rounds=500000$sOmEsAlT$Rf3.xi9RRiCW/FTh4gp67TSLyKotq1QkGkbn0O6cYDYEExwrFE30zeKGDIaZ3TZ."
	  "RDwiNya5nKlPDRTA0U4E8/",
	  "sha512crypt", 500000, 0, false },
	{ "abJnggxhB/yWI", "descrypt", 0, 0, true },
};

static void known_hashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct password_info info;
		struct err err;

		assert_int_equal(password_identify(known[i].hash, &info, &err), 0);
		assert_string_equal(info.method->name, known[i].method);
		assert_int_equal(info.cost, known[i].cost);
		assert_int_equal(info.memory, known[i].memory);
		assert_true(info.whole);
		assert_int_equal(password_weakness(&info) != NULL, known[i].weak);
		assert_int_equal(password_check_cap(&info, &err), 0);
		assert_int_equal(password_verify("password", known[i].hash, &err), 1);
		assert_int_equal(password_verify("Password", known[i].hash, &err), 0);
		assert_int_equal(password_verify("", known[i].hash, &err), 0);
	}
}

static void what_is_no_hash(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "an empty hash: whoever comes needs no password" },
		{ "!", "a locked account: it begins with \"!\"" },
		{ "*", "a locked account: it begins with \"*\"" },
		{ "*0", "a locked account: it begins with \"*\"" },
		{ "$6$a:b", "crypt(5) allows no such character as the one at offset 4" },
		{ "$6$a\nb", "crypt(5) allows no such character as the one at offset 4" },
		{ "$6$\xff", "crypt(5) allows no such character as the one at offset 3" },
		{ "$9$a$b", "no method of crypt(5) writes this" },
		{ "secret", "no method of crypt(5) writes this" },
		{ "a", "no method of crypt(5) writes this" },
		{ "$6$rounds=abc$x", "sha512crypt: the cost cannot be read" },
		{ "$6$rounds=01000$x", "sha512crypt: the cost cannot be read" },
		{ "$6$rounds=5000x$x", "sha512crypt: the cost cannot be read" },
		{ "$6$rounds=99999999999999999999$x", "sha512crypt: the cost cannot be read" },
		{ "$6$rounds=999$x", "sha512crypt: the cost 999 is out of its range" },
		{ "$6$salt$short", "sha512crypt: salt and digest do not have its lengths" },
		{ "$2b$05$short", "bcrypt: salt and digest do not have its lengths" },
		{ "$2b$32$abcdefghijklmnopqrstuu", "bcrypt: the cost 32 is out of its range" },
		{ "$2b$5$abcdefghijklmnopqrstuu", "bcrypt: the cost cannot be read" },
		{ "$y$j9T", "yescrypt: the cost cannot be read" },
		{ "$7$C", "scrypt: the cost cannot be read" },
	};
	char longer[PASSWORD_HASH_SIZE + 1];
	struct password_info info;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(password_identify(cases[i].text, &info, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].error);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(password_identify(longer, &info, &err), -EINVAL);
	assert_string_equal(err.text, "a hash has at most 383 characters");
}

/* Each would hold a thread for seconds, or take a gigabyte. */
static void above_the_cap(void **state)
{
	static const char *const settings[] = {
		"$6$rounds=5000001$salt",
		"$5$rounds=999999999$salt",
		"$2b$15$abcdefghijklmnopqrstuu",
		"$y$jCT2$abcd",
		"$y$jET$abcd",
		"$gy$jFT$abcd",
		"$7$FU..../....salt",
		"$7$CU..../1...salt",
		"$sha1$4000000000$salt",
		"$md5,rounds=200001$salt",
		"_zzzzsalt",
		"$y$jzz$abcd",
		"$y$/9T$abcd",
	};
	struct password_info info;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(settings); i++) {
		assert_int_equal(password_identify(settings[i], &info, &err), 0);
		assert_int_equal(password_check_cap(&info, &err), -EDOM);
	}
	assert_int_equal(password_identify("$y$jCT$abcd", &info, &err), 0);
	assert_int_equal(info.cost, 8);
	assert_int_equal(info.memory, 128u << 20);
	assert_int_equal(password_check_cap(&info, &err), 0);
}

/* A setting that we make says of itself what it was made of. */
static void settings_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < password_n_methods; i++) {
		const struct password_method *m = &password_methods[i];
		const uint64_t costs[] = { 0, m->cost.min, m->cost.def, m->cost.cap };

		for (size_t j = 0; j < COUNT(costs); j++) {
			char setting[PASSWORD_HASH_SIZE];
			struct password_info info;
			struct err err;

			if (j && !costs[j])
				continue;
			assert_int_equal(password_setting(m, NULL, costs[j], setting, &err), 0);
			assert_int_equal(password_identify(setting, &info, &err), 0);
			assert_ptr_equal(info.method, m);
			assert_false(info.unusual);
			assert_int_equal(info.cost, costs[j] ? costs[j] : m->cost.def);
		}
	}
}

static void salts_are_random(void **state)
{
	const struct password_method *m = password_method_find("yescrypt");
	char a[PASSWORD_HASH_SIZE], b[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_setting(m, NULL, 0, a, NULL), 0);
	assert_int_equal(password_setting(m, NULL, 0, b, NULL), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), strlen("$y$j9T$") + 22);
}

/* crypt_rn(3) is said to be safe in threads: eight of them, sixteen methods, no wrong hash. */
static void *hash_many(void *wrong)
{
	for (size_t i = 0; i < 4 * COUNT(known); i++) {
		const char *hash = known[i % COUNT(known)].hash;

		if (!strstr(hash, "rounds=") && password_verify("password", hash, NULL) != 1)
			*(int *)wrong = 1;
	}
	return NULL;
}

static void threads(void **state)
{
	pthread_t ids[8];
	int wrong[8] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++)
		assert_int_equal(pthread_create(&ids[i], NULL, hash_many, &wrong[i]), 0);
	for (size_t i = 0; i < COUNT(ids); i++) {
		pthread_join(ids[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
}

static void what_crypt_refuses(void **state)
{
	char hash[PASSWORD_HASH_SIZE] = "untouched", password[PASSWORD_MAX + 2];
	struct err err;

	(void)state;
	memset(password, 'x', sizeof(password));
	password[PASSWORD_MAX + 1] = '\0';
	assert_int_equal(password_hash(password, "$6$salt", hash, &err), -ERANGE);
	assert_int_equal(password_hash("x", "$6$rounds=1$salt", hash, &err), -EINVAL);
	/* crypt(3) answers "*0", or "*1" to that, which is not to be taken for a hash. */
	assert_int_equal(password_hash("x", "*0", hash, &err), -EINVAL);
	assert_int_equal(password_verify("x", "*1", &err), -EINVAL);
	assert_string_equal(hash, "untouched");
	password[PASSWORD_MAX] = '\0';
	assert_int_equal(password_hash(password, "$6$salt", hash, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_hashes),	      cmocka_unit_test(what_is_no_hash),
		cmocka_unit_test(above_the_cap),      cmocka_unit_test(settings_and_back),
		cmocka_unit_test(salts_are_random),   cmocka_unit_test(threads),
		cmocka_unit_test(what_crypt_refuses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
