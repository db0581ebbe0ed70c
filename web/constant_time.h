/* What a secret is compared by: how long it takes does not tell how much of it was right. Pure. */
#ifndef TW_CONSTANT_TIME_H
#define TW_CONSTANT_TIME_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `n` bytes are the same; takes the same time wherever they differ. */
static inline bool constant_time_equal(const char *a, const char *b, size_t n)
{
	volatile unsigned char difference = 0;

	for (size_t i = 0; i < n; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

#endif
