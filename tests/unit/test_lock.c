/* links: agent/lock.c agent/base/err.c agent/base/counter_file.c agent/base/parse.c */
#include "agent/lock.h"

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

static char base[64], run_dir[80];

static int setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/test_lock.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(run_dir, sizeof(run_dir), "%s/run", base);
	return 0;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/agent.lock", run_dir);
	unlink(path);
	rmdir(run_dir);
	return rmdir(base);
}

/* A link-group of this process alone, in the namespace that all tests share. */
static uint32_t group(void)
{
	return 0x40000000u + (uint32_t)getpid();
}

static void one_at_a_time(void **state)
{
	struct agent_lock lock, other = AGENT_LOCK_NONE;
	char expected[256];
	struct stat st;
	struct err err;

	(void)state;
	assert_int_equal(agent_lock(run_dir, group(), &lock, &err), 0);
	assert_int_equal(stat(run_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);

	snprintf(expected, sizeof(expected), "another tapwarden (pid %d) has locked %s/agent.lock",
		 (int)getpid(), run_dir);
	assert_int_equal(agent_lock(run_dir, group() + 1, &other, &err), -EWOULDBLOCK);
	assert_string_equal(err.text, expected);
	assert_int_equal(other.file, -1);

	agent_unlock(&lock);
	assert_int_equal(agent_lock(run_dir, group(), &lock, &err), 0);
	agent_unlock(&lock);
	agent_unlock(&lock);
}

/* Two configurations with folders of their own would still delete each other's links. */
static void one_for_a_link_group(void **state)
{
	struct agent_lock lock, other = AGENT_LOCK_NONE;
	char expected[256], other_dir[96];
	struct err err;

	(void)state;
	snprintf(other_dir, sizeof(other_dir), "%s-2", run_dir);
	assert_int_equal(agent_lock(run_dir, group(), &lock, &err), 0);
	snprintf(expected, sizeof(expected),
		 "another tapwarden (pid %d) owns the links of link-group %u in this network "
		 "namespace",
		 (int)getpid(), group());
	assert_int_equal(agent_lock(other_dir, group(), &other, &err), -EWOULDBLOCK);
	assert_string_equal(err.text, expected);
	/* What it had locked before it was refused is free again. */
	assert_int_equal(agent_lock(other_dir, group() + 1, &other, &err), 0);
	agent_unlock(&other);
	agent_unlock(&lock);
	snprintf(expected, sizeof(expected), "%s/agent.lock", other_dir);
	assert_int_equal(unlink(expected), 0);
	assert_int_equal(rmdir(other_dir), 0);
}

static void a_lock_that_was_removed(void **state)
{
	struct agent_lock lock, other;
	char path[128];
	struct err err;

	(void)state;
	assert_int_equal(agent_lock(run_dir, group(), &lock, &err), 0);
	assert_false(agent_lock_is_lost(&lock, run_dir));
	snprintf(path, sizeof(path), "%s/agent.lock", run_dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(run_dir), 0);
	assert_true(agent_lock_is_lost(&lock, run_dir));

	/* Another took the place meanwhile. */
	assert_int_equal(agent_lock(run_dir, group() + 1, &other, &err), 0);
	assert_true(agent_lock_is_lost(&lock, run_dir));
	assert_int_equal(agent_lock_again(&lock, run_dir, &err), -EWOULDBLOCK);
	agent_unlock(&other);
	assert_int_equal(agent_lock_again(&lock, run_dir, &err), 0);
	assert_false(agent_lock_is_lost(&lock, run_dir));
	agent_unlock(&lock);
}

static void impossible_places(void **state)
{
	struct agent_lock lock;
	struct err err;

	(void)state;
	assert_int_equal(agent_lock("/proc/nowhere", group(), &lock, &err), -ENOENT);
	assert_string_equal(err.text, "could not make /proc/nowhere: No such file or directory");
	assert_int_equal(agent_lock("/dev/null", group(), &lock, &err), -ENOTDIR);
	assert_string_equal(err.text, "could not open /dev/null/agent.lock: Not a directory");
}

static void somebody_who_is_not_root(void **state)
{
	const uid_t before = geteuid();
	char expected[256];
	struct agent_lock lock;
	struct err err;

	(void)state;
	assert_int_equal(chmod(base, 0555), 0);
	assert_true(before != 0 || seteuid(65534) == 0);
	assert_int_equal(agent_lock(run_dir, group(), &lock, &err), -EACCES);
	assert_true(before != 0 || seteuid(before) == 0);
	snprintf(expected, sizeof(expected), "could not make %s: Permission denied: try as root",
		 run_dir);
	assert_string_equal(err.text, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(one_for_a_link_group, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lock_that_was_removed, setup, teardown),
		cmocka_unit_test(impossible_places),
		cmocka_unit_test_setup_teardown(somebody_who_is_not_root, setup, teardown),
	};

	umask(022);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
