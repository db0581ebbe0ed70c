/* links: agent/boot_states.c agent/state_file.c agent/base/fd_io.c agent/base/boot_types.c */
/* links: agent/base/parse_boot.c agent/base/parse.c agent/base/buf.c agent/base/err.c */
#include "agent/boot_states.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/state_file.h"

#define TOKEN	    "0123456789abcdef0123456789abcdef"
#define OTHER_TOKEN "0123456789abcdef0123456789abcdee"

static char dir[] = "/tmp/tapwarden-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/" BOOT_STATES_NAME, dir);
	unlink(path);
	return rmdir(dir);
}

static void write_states(const char *text)
{
	struct buf lines;

	buf_init(&lines, 256);
	buf_adds(&lines, text);
	assert_int_equal(state_file_write(dir, BOOT_STATES_NAME, &lines), 0);
	buf_done(&lines);
}

/* The bytes as they are, without an end. */
static void write_bytes(const char *bytes, size_t len)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/" BOOT_STATES_NAME, dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void states_outlive_their_agent(void **state)
{
	struct boot_states states = { 0 }, read = { 0 };
	char path[64];
	struct stat st;

	(void)state;
	assert_int_equal(boot_states_load(&read, dir, NULL), 1);
	assert_int_equal(read.n, 0);
	assert_int_equal(boot_guest_set(boot_states_of(&states, "one"), BOOT_STATE_INSTALL), 0);
	assert_int_equal(boot_guest_set(boot_states_of(&states, "two"), BOOT_STATE_LOCAL), 0);
	assert_int_equal(boot_guest_set(boot_states_of(&states, "three"), BOOT_STATE_RUN), 0);
	assert_int_equal(boot_states_save(&states, dir, NULL), 0);
	snprintf(path, sizeof(path), "%s/" BOOT_STATES_NAME, dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(boot_states_load(&read, dir, NULL), 0);
	assert_int_equal(read.n, 2);
	assert_int_equal(boot_states_find(&read, "one")->state, BOOT_STATE_INSTALL);
	assert_int_equal(strlen(boot_states_find(&read, "one")->token), BOOT_TOKEN_SIZE - 1);
	assert_string_equal(boot_states_find(&read, "one")->token,
			    boot_states_find(&states, "one")->token);
	assert_string_equal(boot_states_find(&read, "two")->token, "");
	assert_null(boot_states_find(&read, "three"));
	boot_states_done(&states);
	boot_states_done(&read);
}

static void states_stay_where_another_path_leads_to_the_same_folder(void **state)
{
	static const char *const ends[] = { "/", "/.", "-link" };
	struct boot_states states = { 0 }, read = { 0 };
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s-link", dir);
	assert_int_equal(symlink(dir, path), 0);
	assert_int_equal(boot_guest_set(boot_states_of(&states, "one"), BOOT_STATE_LOCAL), 0);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, ends[i]);
		assert_int_equal(boot_states_move(&states, dir, path, NULL), 0);
		assert_int_equal(boot_states_load(&read, dir, NULL), 0);
		assert_int_equal(read.n, 1);
	}
	assert_int_equal(unlink(path), 0);
	boot_states_done(&states);
	boot_states_done(&read);
}

static const struct {
	const char *text, *why;
} damaged[] = {
	{ "one\n", "a line is GUEST STATE TOKEN" },
	{ "one install\n", "a line is GUEST STATE TOKEN" },
	{ "one install - more\n", "a line is GUEST STATE TOKEN" },
	{ "one install 0123\n", "a line is GUEST STATE TOKEN" },
	{ "../x install -\n", "a line is GUEST STATE TOKEN" },
	{ "one away -\n", "there is no state \"away\"" },
};

static void a_damaged_file_is_refused(void **state)
{
	struct boot_states states = { 0 };

	(void)state;
	write_states("one install " TOKEN "\ntwo once -\n");
	assert_int_equal(boot_states_load(&states, dir, NULL), 0);
	assert_int_equal(states.n, 2);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct err err;
		char text[256];

		write_states(damaged[i].text);
		assert_int_equal(boot_states_load(&states, dir, &err), -EINVAL);
		snprintf(text, sizeof(text), "%s/" BOOT_STATES_NAME ": %s", dir, damaged[i].why);
		assert_string_equal(err.text, text);
		assert_int_equal(states.n, 2);
	}
	boot_states_done(&states);
}

static void no_part_of_a_file_is_taken_for_all_of_it(void **state)
{
	struct boot_states states = { 0 };
	char path[64], whole[256], changed[256];
	struct err err;
	FILE *file;
	size_t len;

	(void)state;
	write_states("one install " TOKEN "\ntwo local -\n");
	snprintf(path, sizeof(path), "%s/" BOOT_STATES_NAME, dir);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(whole, 1, sizeof(whole), file);
	assert_int_equal(fclose(file), 0);
	for (size_t cut = 0; cut < len; cut++) {
		write_bytes(whole, cut);
		assert_int_equal(boot_states_load(&states, dir, &err), -EBADMSG);
		assert_non_null(strstr(err.text, ": it is cut or changed"));
		memcpy(changed, whole, len);
		changed[cut] ^= 1;
		write_bytes(changed, len);
		assert_int_equal(boot_states_load(&states, dir, &err), -EBADMSG);
		assert_int_equal(states.n, 0);
	}
	write_bytes(whole, len);
	assert_int_equal(boot_states_load(&states, dir, &err), 0);
	assert_int_equal(states.n, 2);
	boot_states_done(&states);
	write_states("");
	assert_int_equal(boot_states_load(&states, dir, &err), 0);
	assert_int_equal(states.n, 0);
}

static void tokens_are_new_each_time(void **state)
{
	struct boot_guest guest = { .state = BOOT_STATE_RUN };
	char first[BOOT_TOKEN_SIZE];

	(void)state;
	assert_int_equal(boot_guest_set(&guest, BOOT_STATE_INSTALL), 0);
	memcpy(first, guest.token, sizeof(first));
	assert_int_equal(boot_guest_set(&guest, BOOT_STATE_INSTALL), 0);
	assert_string_not_equal(first, guest.token);
	/* The first install's phone-home was on its way when the second was asked for. */
	assert_false(boot_guest_step(&guest, BOOT_STEP_HOME, first, 1));
	assert_int_equal(guest.state, BOOT_STATE_INSTALL);
	assert_int_equal(boot_guest_set(&guest, BOOT_STATE_RESCUE), 0);
	assert_string_equal(guest.token, "");
}

/* State, step, the token that was shown: the state after it. */
static const struct {
	enum boot_state before;
	enum boot_step step;
	const char *token;
	enum boot_state after;
} steps[] = {
	{ BOOT_STATE_RUN, BOOT_STEP_SCRIPT, "", BOOT_STATE_RUN },
	{ BOOT_STATE_RUN, BOOT_STEP_HOME, TOKEN, BOOT_STATE_RUN },
	{ BOOT_STATE_INSTALL, BOOT_STEP_SCRIPT, "", BOOT_STATE_INSTALL },
	{ BOOT_STATE_INSTALL, BOOT_STEP_SEED, "", BOOT_STATE_INSTALL },
	{ BOOT_STATE_INSTALL, BOOT_STEP_HOME, "", BOOT_STATE_INSTALL },
	{ BOOT_STATE_INSTALL, BOOT_STEP_HOME, TOKEN, BOOT_STATE_RUN },
	{ BOOT_STATE_INSTALL, BOOT_STEP_HOME, OTHER_TOKEN, BOOT_STATE_INSTALL },
	{ BOOT_STATE_INSTALL, BOOT_STEP_SEED, TOKEN, BOOT_STATE_INSTALL },
	{ BOOT_STATE_ONCE, BOOT_STEP_KERNEL, "", BOOT_STATE_ONCE },
	{ BOOT_STATE_ONCE, BOOT_STEP_SCRIPT, "", BOOT_STATE_LOCAL },
	{ BOOT_STATE_RESCUE, BOOT_STEP_HOME, TOKEN, BOOT_STATE_RESCUE },
	{ BOOT_STATE_LOCAL, BOOT_STEP_SCRIPT, "", BOOT_STATE_LOCAL },
};

static void steps_change_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct boot_guest guest = { .state = steps[i].before, .token = TOKEN };
		bool changed = boot_guest_step(&guest, steps[i].step, steps[i].token, 5);

		assert_int_equal(guest.state, steps[i].after);
		assert_int_equal(changed, steps[i].before != steps[i].after);
		assert_string_equal(guest.token, changed ? "" : TOKEN);
		assert_int_equal(guest.steps[steps[i].step].time_ms, 5);
	}
}

static void what_a_boot_waits_for(void **state)
{
	struct guest_conf conf = { .boot = BOOT_KERNEL,
				   .kernel = "/srv/k",
				   .initrd = "http://h/i",
				   .install_kernel = "/srv/k",
				   .install_initrd = "/srv/i" };
	struct boot_guest guest = { .state = BOOT_STATE_RUN };

	(void)state;
	assert_int_equal(boot_guest_missing(NULL, &conf), BOOT_STEPS);
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEPS);
	boot_guest_step(&guest, BOOT_STEP_SCRIPT, "", 1);
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEP_KERNEL);
	boot_guest_step(&guest, BOOT_STEP_KERNEL, "", 2);
	/* The initrd comes from elsewhere: nobody here sees it. */
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEPS);
	boot_guest_set(&guest, BOOT_STATE_INSTALL);
	guest.booting = BOOT_STATE_INSTALL;
	boot_guest_step(&guest, BOOT_STEP_SCRIPT, "", 3);
	boot_guest_step(&guest, BOOT_STEP_KERNEL, "", 4);
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEP_INITRD);
	boot_guest_step(&guest, BOOT_STEP_INITRD, "", 5);
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEP_HOME);
	boot_guest_step(&guest, BOOT_STEP_HOME, guest.token, 6);
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEPS);
	/* A new boot begins with its script. */
	boot_guest_step(&guest, BOOT_STEP_SCRIPT, "", 7);
	assert_int_equal(guest.steps[BOOT_STEP_HOME].n, 0);
	conf.boot = BOOT_SAN;
	guest.booting = BOOT_STATE_RUN;
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEPS);
}

/* What the guest chooses is waited for, whatever its state. */
static void a_menu_comes_before_its_script(void **state)
{
	struct guest_conf conf = { .boot = BOOT_SAN, .rescue_kernel = "/srv/k" };
	struct boot_guest guest = { .state = BOOT_STATE_RUN };

	(void)state;
	boot_guest_step(&guest, BOOT_STEP_SCRIPT, "", 1);
	boot_guest_step(&guest, BOOT_STEP_MENU, "", 2);
	assert_int_equal(guest.steps[BOOT_STEP_SCRIPT].n, 0);
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEP_SCRIPT);
	guest.booting = BOOT_STATE_RESCUE;
	boot_guest_step(&guest, BOOT_STEP_SCRIPT, "", 3);
	assert_int_equal(guest.steps[BOOT_STEP_MENU].n, 1);
	assert_int_equal(boot_guest_missing(&guest, &conf), BOOT_STEP_KERNEL);
	/* Another script is another boot, to which no menu came. */
	boot_guest_step(&guest, BOOT_STEP_SCRIPT, "", 4);
	assert_int_equal(guest.steps[BOOT_STEP_MENU].n, 0);
	assert_int_equal(guest.steps[BOOT_STEP_SCRIPT].n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_outlive_their_agent),
		cmocka_unit_test(states_stay_where_another_path_leads_to_the_same_folder),
		cmocka_unit_test(a_damaged_file_is_refused),
		cmocka_unit_test(no_part_of_a_file_is_taken_for_all_of_it),
		cmocka_unit_test(tokens_are_new_each_time),
		cmocka_unit_test(steps_change_states),
		cmocka_unit_test(what_a_boot_waits_for),
		cmocka_unit_test(a_menu_comes_before_its_script),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
