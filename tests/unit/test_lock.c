/* links: agent/lock.c agent/base/err.c */
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

static void one_at_a_time(void **state)
{
	char expected[256];
	struct stat st;
	struct err err;
	int fd;

	(void)state;
	fd = agent_lock(run_dir, &err);
	assert_true(fd >= 0);
	assert_int_equal(stat(run_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);

	snprintf(expected, sizeof(expected), "another tapwarden (pid %d) has locked %s/agent.lock",
		 (int)getpid(), run_dir);
	assert_int_equal(agent_lock(run_dir, &err), -EWOULDBLOCK);
	assert_string_equal(err.text, expected);

	close(fd);
	fd = agent_lock(run_dir, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void impossible_places(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(agent_lock("/proc/nowhere", &err), -ENOENT);
	assert_string_equal(err.text, "could not make /proc/nowhere: No such file or directory");
	assert_int_equal(agent_lock("/dev/null", &err), -ENOTDIR);
	assert_string_equal(err.text, "could not open /dev/null/agent.lock: Not a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
		cmocka_unit_test(impossible_places),
	};

	umask(022);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
