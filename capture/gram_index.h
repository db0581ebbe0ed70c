/*
 * Finds many literal texts at once: by short grams of theirs, looked up at every few bytes.
 *
 * Pure. Of each text as many grams that follow each other are known as bytes are stepped over, so
 * one of them is at a place that is looked at, wherever the text is. What has the gram of a text is
 * then compared with the whole text. The same texts are found with AVX2 and without.
 */
#ifndef TW_GRAM_INDEX_H
#define TW_GRAM_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/literal.h"

struct gram_text {
	struct literal literal; /* len > 0 */
	bool caseless; /* as of a literal_set */
};

struct gram_hit {
	const uint8_t *at; /* where the text begins */
	uint32_t text; /* its place in the array that the index was made of */
};

struct gram_slot;
struct gram_item;
struct gram_search;

/* Immutable once initialised: several threads may search with it. */
struct gram_index {
	const struct gram_text *texts;
	unsigned int width,
		step; /* bytes of a gram, and from one place that is looked at to the next */
	uint32_t mask; /* of the bytes of a gram, as they are loaded */
	uint32_t fold; /* OR'ed to grams: either case has the same one */
	uint32_t *bits; /* by hash of a gram: whether there may be one */
	unsigned int bits_shift;
	struct gram_slot *slots; /* by hash: the grams */
	unsigned int slots_shift;
	struct gram_item *items; /* which texts have a gram, and where */
	size_t min_place, max_place; /* of a gram in its text */
	void (*look)(struct gram_search *search, size_t at, size_t last);
};

/* `texts` is the caller's and outlives the index; n > 0. Without `simd`, no AVX2. 0 or -ENOMEM. */
int gram_index_init(struct gram_index *index, const struct gram_text *texts, size_t n, bool simd);
void gram_index_done(struct gram_index *index);

#define GRAM_HITS_FULL SIZE_MAX

/*
 * The texts that begin at `from` or behind and before `to`, and are wholly in `data`, in the order
 * of where they begin. Returns how many there are, GRAM_HITS_FULL if they are more than `max`.
 */
size_t gram_index_find(const struct gram_index *index, const uint8_t *data, size_t len, size_t from,
		       size_t to, struct gram_hit *hits, size_t max);

#endif
