/* What time it is. Edge: asks the kernel; pure files are told. */
#ifndef TW_CLOCK_H
#define TW_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "agent/base/time_units.h"

/* Nanoseconds of a clock of clock_gettime(2). Safe in a signal handler. */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
