#include "capture/search_time.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"

/* No tick is more often: with each that finds the process at work there is a signal. */
#define TICK_US 1000

/* What is said below is of this thread: no other one may be taken out of what it does. */
static _Thread_local bool searches;

static sigjmp_buf out;
static volatile sig_atomic_t armed; /* the search can be left */
static volatile sig_atomic_t over;
static volatile uint64_t until_ns; /* 0: no bound */
static volatile uint64_t first_ns; /* CPU time when the search was first seen; 0: not yet */

/* Ticks are not counted: how far apart they are is the kernel's matter. */
static uint64_t search_cpu_ns(void)
{
	const uint64_t now = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	if (!first_ns)
		first_ns = now;
	return now - first_ns;
}

/*
 * What is left has no lock and allocates nothing: pcre2_jit_match() with a stack of its own. The
 * signal is not blocked here (SA_NODEFER), so nothing is to be restored but where the process is.
 */
static void on_tick(int number)
{
	(void)number;
	if (!searches)
		return;
	if (until_ns && clock_ns(CLOCK_MONOTONIC) >= until_ns)
		over = 1;
	if (!armed || (!over && search_cpu_ns() < SEARCH_CPU_MAX_MS * NS_PER_MS))
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

	/* The kernel gives the signals of a process to its main thread first: complete_signal(). */
	assert(gettid() == getpid());
	searches = true;
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

void search_time_end(void)
{
	over = 1;
}

static bool is_over(void)
{
	return over;
}

static bool run(void (*search)(void *data), void *data)
{
	assert(searches);
	if (sigsetjmp(out, 0))
		return false;
	first_ns = 0;
	armed = 1;
	search(data);
	armed = 0;
	return true;
}

const struct regex_guard search_time_guard = { .is_over = is_over, .run = run };
