#include "capture/gram_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Knuth's multiplicative hash: the upper bits of the product depend on all of the gram. */
#define HASH_FACTOR 0x9e3779b1u

/* Bits for each gram, and bounds of their table: with the second, 32 KiB, it stays in the cache. */
#define BITS_PER_GRAM 64u
#define BITS_LOG_MIN  12u
#define BITS_LOG_MAX  18u

struct gram_slot {
	uint32_t gram;
	uint32_t first, n; /* items; n is 0 in an empty slot */
};

struct gram_item {
	uint32_t text;
	uint32_t place; /* of the gram in the text */
};

/* One call of gram_index_find(). */
struct gram_search {
	const struct gram_index *index;
	const uint8_t *data;
	size_t len, from, to;
	struct gram_hit *hits;
	size_t n, max; /* n is max + 1 when there was no room */
};

static uint32_t hash_of(uint32_t gram, unsigned int shift)
{
	return gram * HASH_FACTOR >> shift;
}

static bool is_letter(uint8_t byte)
{
	return (uint8_t)((byte | 0x20) - 'a') < 26;
}

/* The gram at `p`, of which `left` bytes are there: at least its width. */
static uint32_t gram_at(const struct gram_index *index, const uint8_t *p, size_t left)
{
	uint32_t gram = 0;

	if (left >= sizeof(gram))
		memcpy(&gram, p, sizeof(gram));
	else
		memcpy(&gram, p, left);
	return (gram & index->mask) | index->fold;
}

/* ---- building ------------------------------------------------------------------------------- */

struct shape {
	size_t min_len; /* of the texts: width + step - 1 */
	unsigned int width, step;
};

static const struct shape shapes[] = {
	{ 7, 4, 4 }, { 5, 4, 2 }, { 4, 3, 2 }, { 3, 3, 1 }, { 2, 2, 1 }, { 1, 1, 1 },
};

static const struct shape *shape_of(size_t min_len)
{
	const struct shape *shape = shapes;

	while (min_len < shape->min_len)
		shape++;
	return shape;
}

static void choose_shape(struct gram_index *index, size_t n)
{
	static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };
	static const uint8_t folds[4] = { 0x20, 0x20, 0x20, 0x20 };
	size_t min_len = LITERAL_BYTES_MAX;
	const struct shape *shape;
	bool caseless = false;

	for (size_t i = 0; i < n; i++) {
		min_len = index->texts[i].literal.len < min_len ? index->texts[i].literal.len
								: min_len;
		caseless = caseless || index->texts[i].caseless;
	}
	shape = shape_of(min_len);
	index->width = shape->width;
	index->step = shape->step;
	/* By memcpy(), so that the bytes that count are the first ones whatever the byte order. */
	memcpy(&index->mask, ones, shape->width);
	if (caseless)
		memcpy(&index->fold, folds, shape->width);
}

static unsigned int log2_above(size_t n)
{
	unsigned int log = 1;

	while (log < 31 && ((size_t)1 << log) < n)
		log++;
	return log;
}

static struct gram_slot *slot_of(const struct gram_index *index, uint32_t gram)
{
	uint32_t i = hash_of(gram, index->slots_shift), mask = UINT32_MAX >> index->slots_shift;

	while (index->slots[i].n && index->slots[i].gram != gram)
		i = (i + 1) & mask;
	return &index->slots[i];
}

/* A table for `n` grams, and for as many again so that there is always an empty slot near. */
static int make_slots(struct gram_index *index, size_t n)
{
	unsigned int log = log2_above(2 * n);

	free(index->slots);
	index->slots_shift = 32 - log;
	index->slots = calloc((size_t)1 << log, sizeof(*index->slots));
	return index->slots ? 0 : -ENOMEM;
}

static void count_gram(struct gram_index *index, uint32_t gram)
{
	struct gram_slot *slot = slot_of(index, gram);

	slot->gram = gram;
	slot->n++;
}

static size_t places_of(const struct gram_index *index, const struct gram_text *text)
{
	return text->literal.len - index->width + 1;
}

static uint32_t gram_of(const struct gram_index *index, const struct gram_text *text, size_t place)
{
	return gram_at(index, text->literal.bytes + place, text->literal.len - place);
}

static int count_all(struct gram_index *index, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += places_of(index, &index->texts[i]);
	if (make_slots(index, total))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		for (size_t p = 0; p < places_of(index, &index->texts[i]); p++)
			count_gram(index, gram_of(index, &index->texts[i], p));
	}
	return 0;
}

/* What looking a gram up costs: how often it is in usual text, by how many texts have it. */
static uint64_t cost_of(const struct gram_index *index, const struct gram_text *text, size_t place)
{
	uint64_t often = 1;

	for (size_t i = 0; i < index->width; i++) {
		unsigned int rarity = literal_rarity(text->literal.bytes[place + i]);

		often *= 4096u >> (rarity * 3 / 5);
	}
	return (often >> 16) * (4 + slot_of(index, gram_of(index, text, place))->n);
}

/* Where the text's grams begin that are cheapest to look for. */
static uint32_t choose_place(const struct gram_index *index, const struct gram_text *text)
{
	size_t last = places_of(index, text) - index->step, best = 0;
	uint64_t best_cost = UINT64_MAX;

	for (size_t p = 0; p <= last; p++) {
		uint64_t cost = 0;

		for (size_t i = 0; i < index->step; i++)
			cost += cost_of(index, text, p + i);
		if (cost < best_cost) {
			best_cost = cost;
			best = p;
		}
	}
	return (uint32_t)best;
}

static int make_bits(struct gram_index *index, size_t n)
{
	unsigned int log = log2_above(n * BITS_PER_GRAM);

	log = log < BITS_LOG_MIN ? BITS_LOG_MIN : log;
	log = log > BITS_LOG_MAX ? BITS_LOG_MAX : log;
	index->bits_shift = 32 - log;
	index->bits = calloc(((size_t)1 << log) / 32, sizeof(*index->bits));
	return index->bits ? 0 : -ENOMEM;
}

static void set_bit(struct gram_index *index, uint32_t gram)
{
	uint32_t h = hash_of(gram, index->bits_shift);

	index->bits[h / 32] |= UINT32_C(1) << h % 32;
}

/* `places`: where each text's grams begin. Slots are counted, then filled from their end. */
static void fill(struct gram_index *index, size_t n, const uint32_t *places)
{
	size_t n_slots = (size_t)1 << (32 - index->slots_shift);
	uint32_t end = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < index->step; k++)
			count_gram(index, gram_of(index, &index->texts[i], places[i] + k));
	}
	for (size_t i = 0; i < n_slots; i++) {
		end += index->slots[i].n;
		index->slots[i].first = end;
	}
	index->min_place = SIZE_MAX;
	for (size_t i = n; i-- > 0;) {
		for (uint32_t place = places[i] + index->step; place-- > places[i];) {
			uint32_t gram = gram_of(index, &index->texts[i], place);

			index->items[--slot_of(index, gram)->first] =
				(struct gram_item){ (uint32_t)i, place };
			set_bit(index, gram);
			index->min_place = place < index->min_place ? place : index->min_place;
			index->max_place = place > index->max_place ? place : index->max_place;
		}
	}
}

static int build(struct gram_index *index, size_t n)
{
	uint32_t *places = calloc(n, sizeof(*places));
	int code = places ? count_all(index, n) : -ENOMEM;

	if (code)
		goto out;
	for (size_t i = 0; i < n; i++)
		places[i] = choose_place(index, &index->texts[i]);
	index->items = calloc(n * index->step, sizeof(*index->items));
	code = index->items ? make_slots(index, n * index->step) : -ENOMEM;
	if (!code)
		code = make_bits(index, n * index->step);
	if (!code)
		fill(index, n, places);
out:
	free(places);
	return code;
}

/* ---- looking -------------------------------------------------------------------------------- */

static bool text_at(const struct gram_text *text, const uint8_t *p)
{
	const struct literal *literal = &text->literal;

	if (!text->caseless)
		return memcmp(literal->bytes, p, literal->len) == 0;
	for (size_t i = 0; i < literal->len; i++) {
		if ((is_letter(p[i]) ? p[i] | 0x20 : p[i]) != literal->bytes[i])
			return false;
	}
	return true;
}

static void verify(struct gram_search *s, size_t at, uint32_t gram)
{
	const struct gram_slot *slot = slot_of(s->index, gram);

	for (uint32_t i = 0; i < slot->n; i++) {
		const struct gram_item *item = &s->index->items[slot->first + i];
		const struct gram_text *text = &s->index->texts[item->text];
		size_t begin = at - item->place;

		if (at < s->from + item->place || begin >= s->to ||
		    text->literal.len > s->len - begin || !text_at(text, s->data + begin))
			continue;
		if (s->n >= s->max) {
			s->n = s->max + 1;
			return;
		}
		s->hits[s->n++] = (struct gram_hit){ s->data + begin, item->text };
	}
}

/* The places from `at` to `last`, of which the last few have less than four bytes behind them. */
static void look_plain(struct gram_search *s, size_t at, size_t last)
{
	const struct gram_index *index = s->index;
	const uint32_t *bits = index->bits;
	const unsigned int shift = index->bits_shift;

	for (; at <= last && s->n <= s->max; at += index->step) {
		uint32_t gram = gram_at(index, s->data + at, s->len - at);
		uint32_t h = hash_of(gram, shift);

		if (bits[h / 32] >> h % 32 & 1)
			verify(s, at, gram);
	}
}

#if defined(__x86_64__)

#define BLOCK 32

/* Of eight grams: a bit for each that may be one of a text. */
__attribute__((target("avx2"))) static inline unsigned int may_be(const struct gram_index *index,
								  __m256i grams)
{
	const __m256i low = _mm256_set1_epi32(31);
	__m256i h = _mm256_mullo_epi32(grams, _mm256_set1_epi32((int)HASH_FACTOR));
	__m256i words;

	h = _mm256_srl_epi32(h, _mm_cvtsi32_si128((int)index->bits_shift));
	words = _mm256_i32gather_epi32((const int *)index->bits, _mm256_srli_epi32(h, 5), 4);
	/* The bit that is asked for, as the sign. */
	words = _mm256_sllv_epi32(words, _mm256_andnot_si256(h, low));
	return (unsigned int)_mm256_movemask_ps(_mm256_castsi256_ps(words));
}

__attribute__((target("avx2"))) static void look_avx2(struct gram_search *s, size_t at, size_t last)
{
	const struct gram_index *index = s->index;
	const __m256i mask = _mm256_set1_epi32((int)index->mask);
	const __m256i fold = _mm256_set1_epi32((int)index->fold);

	/*
	 * The last place of a block is up to three bytes behind its first, and all have four bytes.
	 */
	for (; last >= BLOCK && at <= last - BLOCK && s->len - at >= BLOCK + 4 && s->n <= s->max;
	     at += BLOCK) {
		for (size_t k = 0; k < 4; k += index->step) {
			__m256i v = _mm256_loadu_si256((const __m256i *)(s->data + at + k));
			unsigned int hits;

			v = _mm256_or_si256(_mm256_and_si256(v, mask), fold);
			for (hits = may_be(index, v); hits; hits &= hits - 1) {
				size_t place = at + k + 4 * (size_t)__builtin_ctz(hits);

				verify(s, place, gram_at(index, s->data + place, 4));
			}
		}
	}
	look_plain(s, at, last);
}

#endif

static void sort_hits(struct gram_hit *hits, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct gram_hit hit = hits[i];
		size_t j = i;

		/* Out of order are only hits whose grams are at different places of their texts. */
		for (; j && hits[j - 1].at > hit.at; j--)
			hits[j] = hits[j - 1];
		hits[j] = hit;
	}
}

size_t gram_index_find(const struct gram_index *index, const uint8_t *data, size_t len, size_t from,
		       size_t to, struct gram_hit *hits, size_t max)
{
	struct gram_search search = {
		.index = index,
		.data = data,
		.len = len,
		.from = from,
		.to = to,
		.hits = hits,
		.max = max,
	};
	size_t first = (from + index->min_place + index->step - 1) / index->step * index->step;
	size_t last = to + index->max_place;

	if (from >= to || len < index->width)
		return 0;
	last = last - 1 < len - index->width ? last - 1 : len - index->width;
	if (first <= last)
		index->look(&search, first, last);
	if (search.n > max)
		return GRAM_HITS_FULL;
	sort_hits(hits, search.n);
	return search.n;
}

int gram_index_init(struct gram_index *index, const struct gram_text *texts, size_t n, bool simd)
{
	int code;

	*index = (struct gram_index){ .texts = texts, .look = look_plain };
#if defined(__x86_64__)
	if (simd && __builtin_cpu_supports("avx2"))
		index->look = look_avx2;
#else
	(void)simd;
#endif
	choose_shape(index, n);
	code = build(index, n);
	if (code)
		gram_index_done(index);
	return code;
}

void gram_index_done(struct gram_index *index)
{
	free(index->bits);
	free(index->slots);
	free(index->items);
	*index = (struct gram_index){ 0 };
}
