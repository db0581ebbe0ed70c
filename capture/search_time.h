/*
 * How long searches may take: machine code of PCRE2 that is still at work when the time is over is
 * left where it is. What bounds its steps (regex.h) does not bound their length.
 *
 * Edge: for the main thread, which alone may search with it, by a timer of the process's CPU time
 * (ITIMER_VIRTUAL of setitimer(2)), so that nothing wakes up who has nothing to do, and no search
 * costs a system call. It is looked at when the kernel's clock ticks, 1 to 10 ms apart.
 */
#ifndef TW_SEARCH_TIME_H
#define TW_SEARCH_TIME_H

#include <stdint.h>

#include "capture/regex.h"

/*
 * CPU time of the thread that any one search may take, also where nobody said until when: the agent
 * ends a worker that does not answer for six seconds, of which a busy host may give it few.
 */
#define SEARCH_CPU_MAX_MS 500u

/* For regex_scratch_guard(). */
extern const struct regex_guard search_time_guard;

/*
 * In the main thread, before the first search, and before a sandbox keeps signals from being
 * handled. 0 or a negative errno.
 */
int search_time_start(void);

/*
 * Searches end at `ns` of CLOCK_MONOTONIC, and none is begun after that; 0: they may take their
 * time.
 */
void search_time_until(uint64_t ns);

/* From here on none is begun, until search_time_until() says so. */
void search_time_end(void);

#endif
