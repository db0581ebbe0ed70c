/*
 * Finds the first of a few literal texts in bytes, as fast as memory allows.
 *
 * Pure. Looks at 32 places at a time where the processor has AVX2; the result does not depend on
 * that.
 */
#ifndef TW_LITERAL_FIND_H
#define TW_LITERAL_FIND_H

#include <stddef.h>
#include <stdint.h>

#include "capture/literal.h"

/* Immutable once initialised: several threads may search with it. Nothing to free. */
struct literal_finder {
	struct literal_set set;
	size_t min_len; /* of the texts */
	/* One text, or several that begin alike: its two bytes that are rarest in usual text. */
	size_t rare[2];
	uint8_t rare_byte[2];
	uint8_t rare_fold[2]; /* 0x20 where the byte stands for a letter of either case, else 0 */
	/*
	 * Several: by nibble of each of the first bytes, the buckets of texts that have it there.
	 */
	size_t n_shuffles;
	uint8_t low[3][16], high[3][16];
	uint16_t bucket_first[9]; /* texts are sorted by bucket: where each begins */
	uint8_t order[LITERAL_ALTS_MAX];
	/* `len` is at least min_len. */
	const uint8_t *(*find)(const struct literal_finder *finder, const uint8_t *data,
			       size_t len);
};

/* `set` has n > 0. */
void literal_finder_init(struct literal_finder *finder, const struct literal_set *set);

/* Where the first text begins that is wholly in the data, or NULL. */
static inline const uint8_t *literal_find(const struct literal_finder *finder, const void *data,
					  size_t len)
{
	if (len < finder->min_len)
		return NULL;
	return finder->find(finder, (const uint8_t *)data, len);
}

#endif
