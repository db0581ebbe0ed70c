/* links: netlink/wireless.c agent/base/parse.c agent/base/err.c */
#include "netlink/wireless.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static char sysfs[] = "/tmp/test_wireless.XXXXXX";

static void add(const char *name, const char *file, const char *ifindex)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", sysfs, name);
	assert_int_equal(mkdir(path, 0700), 0);
	if (file) {
		snprintf(path, sizeof(path), "%s/%s/%s", sysfs, name, file);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	if (!ifindex)
		return;
	snprintf(path, sizeof(path), "%s/%s/ifindex", sysfs, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(ifindex, f);
	fclose(f);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(sysfs));
	add("wlan0", "phy80211", "7\n");
	add("wlan1", "wireless", "8\n");
	add("eno1", NULL, "2\n");
	add("odd0", "wireless", "what\n");
	add("odd1", "wireless", NULL);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", sysfs);
	return system(command);
}

static void look_up(void **state)
{
	static const struct {
		const char *name;
		uint32_t ifindex;
		bool wireless;
	} cases[] = {
		{ "wlan0", 7, true },
		{ "wlan1", 8, true },
		{ "eno1", 2, false },
		{ "odd0", 1, false },
		{ "odd1", 1, false },
		{ "none0", 1, false },
		/* /sys is of another namespace, whose wlan0 is not the one that is meant. */
		{ "wlan0", 9, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("# %s %u\n", cases[i].name, cases[i].ifindex);
		assert_int_equal(is_wireless(sysfs, cases[i].name, cases[i].ifindex),
				 cases[i].wireless);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(look_up),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
