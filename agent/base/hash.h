/*
 * FNV-1a of 64 bits, http://www.isthe.com/chongo/tech/comp/fnv/ . Pure.
 *
 * Some of what is made of it stays: MAC addresses and UUIDs of guests, marks of filters in the
 * kernel, ids in records and in what one worker hands to the next. It is no secret: who can choose
 * what is hashed can make two alike, and its upper bits are poor for short texts.
 */
#ifndef TW_HASH_H
#define TW_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_INIT UINT64_C(0xcbf29ce484222325) /* the offset basis */

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* With its NUL, so that "a" "bc" differs from "ab" "c". */
static inline uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

#endif
