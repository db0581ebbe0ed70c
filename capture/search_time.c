#include "capture/search_time.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/* No tick is more often: with each that finds the process at work there is a signal. */
#define TICK_US 1000

static sigjmp_buf out;
static volatile sig_atomic_t armed; /* the search can be left */
static volatile sig_atomic_t over;
static volatile uint64_t until_ns; /* 0: no bound */
static volatile uint64_t cpu_us; /* of the search so far */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * What is left has no lock and allocates nothing: pcre2_jit_match() with a stack of its own. The signal
 * is not blocked here (SA_NODEFER), so nothing is to be restored but where the process is.
 */
static void on_tick(int number)
{
	(void)number;
	if (until_ns && now_ns() >= until_ns)
		over = 1;
	if (!armed)
		return;
	cpu_us += TICK_US;
	if (!over && cpu_us < SEARCH_CPU_MAX_MS * UINT64_C(1000))
		return;
	armed = 0;
	siglongjmp(out, 1);
}

int search_time_start(void)
{
	const struct sigaction action = { .sa_handler = on_tick,
					  .sa_flags = SA_RESTART | SA_NODEFER };
	const struct itimerval timer = { .it_interval.tv_usec = TICK_US,
					 .it_value.tv_usec = TICK_US };

	if (sigaction(SIGVTALRM, &action, NULL) < 0 || setitimer(ITIMER_VIRTUAL, &timer, NULL) < 0)
		return -errno;
	return 0;
}

void search_time_until(uint64_t ns)
{
	until_ns = 0;
	over = 0;
	until_ns = ns;
}

static bool is_over(void)
{
	return over;
}

static bool run(void (*search)(void *data), void *data)
{
	if (sigsetjmp(out, 0))
		return false;
	cpu_us = 0;
	armed = 1;
	search(data);
	armed = 0;
	return true;
}

const struct regex_guard search_time_guard = { .is_over = is_over, .run = run };
