/*
 * Sets of bytes in the text of a pattern: `\d`, `[a-f]`, `x`, and how often they are to be there.
 *
 * Pure. Nothing but what is certain is read: by the tables of the C locale, which PCRE2 has built
 * in.
 */
#ifndef TW_SET_READER_H
#define TW_SET_READER_H

#include <stdbool.h>
#include <stdint.h>

#define SET_NO_LIMIT UINT32_MAX

/* Bit b % 64 of set[b / 64]: byte b. */
static inline bool set_has(const uint64_t *set, uint8_t byte)
{
	return set[byte / 64] >> byte % 64 & 1;
}

struct set_reader {
	const uint8_t *p, *end;
	bool caseless, dotall; /* as the options of PCRE2 */
};

/*
 * Adds what stands here to the set, which is empty, as one byte. False: it is not known to be that.
 */
bool set_read(struct set_reader *r, uint64_t *set);

/*
 * The quantifier behind it, if there is one: how often at least and at most, and whether it is
 * another one than that which takes all it can and gives back. False: it is not understood.
 */
bool set_read_count(struct set_reader *r, uint32_t *ret_min, uint32_t *ret_max, bool *ret_other);

#endif
