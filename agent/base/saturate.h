/* Sums of counts that others state: at the end of the range they stay there. Pure. */
#ifndef TW_SATURATE_H
#define TW_SATURATE_H

#include <stdint.h>

static inline uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return b < UINT64_MAX - a ? a + b : UINT64_MAX;
}

#endif
