/* links: agent/tap_holder.c */
#include "agent/tap_holder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A device of this test alone: the slave of a pseudo terminal that nobody else has open. */
static int open_own(dev_t *ret)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct stat st;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(fstat(slave, &st), 0);
	*ret = st.st_rdev;
	return slave;
}

static void finds_this_process(void **state)
{
	struct tap_holder holders[3] = { { .dev = makedev(4000, 2) }, { .dev = makedev(1, 0) } };
	int slave = open_own(&holders[2].dev);
	dev_t own = holders[2].dev;
	int second = dup(slave);

	(void)state;
	assert_int_equal(tap_holders_find(holders, 3, (struct tap_skip){ 0 }), 0);
	for (size_t i = 0; i < 3; i++) {
		if (holders[i].dev == own) {
			assert_int_equal(holders[i].pid, getpid());
			assert_string_equal(holders[i].comm, "test_tap_holder");
			assert_string_equal(holders[i].vm, "");
			assert_int_equal(holders[i].processes, 1);
			assert_int_equal(holders[i].fds, 2);
		} else {
			assert_int_equal(holders[i].pid, 0);
			assert_int_equal(holders[i].fds, 0);
		}
	}
	close(second);
	close(slave);
}

static void skips_this_process(void **state)
{
	struct tap_holder holder;
	int slave = open_own(&holder.dev);

	(void)state;
	assert_int_equal(tap_holders_find(&holder, 1, (struct tap_skip){ .self = getpid() }), 0);
	assert_int_equal(holder.pid, 0);
	assert_int_equal(holder.processes, 0);
	close(slave);
}

static void counts_processes(void **state)
{
	struct tap_holder holder;
	int slave = open_own(&holder.dev), ready[2];
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		byte = 'x';
		/* prove(1) waits for whoever holds its pipe, also after a failure. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(write(ready[1], &byte, 1) == 1 ? pause() : 1);
	}
	assert_true(child > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(tap_holders_find(&holder, 1, (struct tap_skip){ 0 }), 0);
	assert_int_equal(holder.processes, 2);
	assert_int_equal(holder.fds, 2);
	assert_int_equal(tap_holders_find(&holder, 1, (struct tap_skip){ .self = child }), 0);
	assert_int_equal(holder.pid, getpid());
	assert_int_equal(holder.processes, 1);
	assert_int_equal(tap_holders_find(&holder, 1,
					  (struct tap_skip){ .self = getpid(), .agent = child }),
			 0);
	assert_int_equal(holder.processes, 0);
	/* What the agent hands to its workers is its own, too. */
	assert_int_equal(tap_holders_find(&holder, 1, (struct tap_skip){ .self = getpid() }), 0);
	assert_int_equal(holder.pid, 0);
	assert_int_equal(holder.processes, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	close(slave);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_this_process),
		cmocka_unit_test(skips_this_process),
		cmocka_unit_test(counts_processes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
