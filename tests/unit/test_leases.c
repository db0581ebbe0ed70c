/* links: agent/leases.c agent/state_file.c agent/base/fd_io.c agent/base/buf.c */
/* links: agent/base/parse.c agent/base/err.c */
#include "agent/leases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/state_file.h"

static const uint8_t mac[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 1 };

struct fixture {
	char dir[64];
	struct leases leases;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/test_leases.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static void path_of(const struct fixture *f, char path[128])
{
	snprintf(path, 128, "%s/" LEASES_NAME, f->dir);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[128];

	path_of(f, path);
	unlink(path);
	assert_int_equal(rmdir(f->dir), 0);
	leases_done(&f->leases);
	free(f);
	return 0;
}

static int set(struct fixture *f, const char *link, const char *address, int64_t until)
{
	struct lease lease = { .until = until };

	snprintf(lease.link, sizeof(lease.link), "%s", link);
	memcpy(lease.mac, mac, MAC_LEN);
	assert_int_equal(parse_prefix(address, &lease.address, NULL), 0);
	return leases_set(&f->leases, &lease);
}

/* Those of a link by `now`, one behind the other. */
static const char *of(const struct fixture *f, const char *link, int64_t now)
{
	static char all[256];
	struct guest_addrs addresses = { 0 };

	all[0] = '\0';
	leases_add_to(&f->leases, link, mac, now, &addresses);
	for (uint32_t i = 0; i < addresses.n; i++) {
		format_cidr(all + strlen(all), &addresses.list[i]);
		strcat(all, " ");
	}
	return all;
}

static void one_of_each_version(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, "web01", "192.0.2.1", 100), 1);
	assert_int_equal(set(f, "web01", "2001:db8::1", 200), 1);
	assert_int_equal(set(f, "web02", "192.0.2.9", INT64_MAX), 1);
	assert_string_equal(of(f, "web01", 50), "192.0.2.1/32 2001:db8::1/128 ");
	assert_string_equal(of(f, "web01", 100), "2001:db8::1/128 ");
	/* Renewed; another one; a renewal of that. */
	assert_int_equal(set(f, "web01", "192.0.2.1", 300), 0);
	assert_string_equal(of(f, "web01", 250), "192.0.2.1/32 ");
	assert_int_equal(set(f, "web01", "192.0.2.2", 300), 1);
	assert_string_equal(of(f, "web01", 250), "192.0.2.2/32 ");
	/* Only what it has is taken away. */
	assert_int_equal(set(f, "web01", "192.0.2.1", 0), 0);
	assert_int_equal(set(f, "web01", "192.0.2.2", 0), 1);
	assert_string_equal(of(f, "web01", 150), "2001:db8::1/128 ");
}

static void another_mac_is_another_guest(void **state)
{
	struct fixture *f = *state;
	const uint8_t other[MAC_LEN] = { 0x52, 0x54, 0, 0, 0, 2 };
	struct guest_addrs addresses = { 0 };

	set(f, "web01", "192.0.2.1", 100);
	assert_int_equal(leases_add_to(&f->leases, "web01", other, 50, &addresses), 0);
}

static void they_end(void **state)
{
	struct fixture *f = *state;

	assert_true(leases_next(&f->leases) == INT64_MAX);
	set(f, "web01", "192.0.2.1", 100);
	set(f, "web02", "192.0.2.2", 90);
	set(f, "web03", "192.0.2.3", INT64_MAX);
	assert_true(leases_next(&f->leases) == 90);
	assert_false(leases_expire(&f->leases, 89));
	assert_true(leases_expire(&f->leases, 90));
	assert_true(leases_next(&f->leases) == 100);
	assert_true(leases_expire(&f->leases, 1000));
	assert_int_equal(f->leases.n, 1);
}

static void kept_in_a_file(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(leases_load(&f->leases, f->dir, &err), 0);
	assert_int_equal(f->leases.n, 0);
	set(f, "web01", "192.0.2.1", 100);
	set(f, "web01", "2001:db8::1", INT64_MAX);
	assert_int_equal(leases_save(&f->leases, f->dir, &err), 0);
	leases_done(&f->leases);
	assert_int_equal(leases_load(&f->leases, f->dir, &err), 0);
	assert_string_equal(of(f, "web01", 50), "192.0.2.1/32 2001:db8::1/128 ");
	assert_int_equal(leases_save(&f->leases, "/nowhere", &err), -ENOENT);
}

static void what_is_damaged_is_said(void **state)
{
	static const char *const texts[] = {
		"web01 52:54:00:00:00:01 192.0.2.1/32\n",
		"web01 52:54:00:00:00:01 192.0.2.1/32 5 6\n",
		"web01 52:54:00:00:00:01 192.0.2.0/24 5\n",
		"web01 52:54:00:00:00:01 192.0.2.1/32 0\n",
		"web01 52:54:00:00:00 192.0.2.1/32 5\n",
		"we b01 52:54:00:00:00:01 192.0.2.1/32 5\n",
		"a/b 52:54:00:00:00:01 192.0.2.1/32 5\n",
	};
	struct fixture *f = *state;
	char path[128];
	struct err err;

	path_of(f, path);
	set(f, "web01", "192.0.2.9", 100);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf text;

		buf_init(&text, 256);
		buf_adds(&text, texts[i]);
		assert_int_equal(state_file_write(f->dir, LEASES_NAME, &text), 0);
		buf_done(&text);
		assert_int_equal(leases_load(&f->leases, f->dir, &err), -EINVAL);
		assert_non_null(strstr(err.text, path));
	}
	assert_int_equal(f->leases.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_of_each_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_mac_is_another_guest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(they_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kept_in_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_damaged_is_said, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
