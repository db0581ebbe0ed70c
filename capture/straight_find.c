#include "capture/straight.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Bytes that may be looked at in vain, for each byte there is: hostile texts make it a square. */
#define VAIN_MAX 16

struct search {
	const struct straight *s;
	const uint8_t *data;
	size_t len;
	struct span *spans;
	size_t n, max;
	uint64_t vain;
};

static inline bool has(const struct straight_item *item, uint8_t byte)
{
	return item->set[byte / 64] >> byte % 64 & 1;
}

/* The CR of a CRLF, or at the end of the text, is not of the line. */
static bool is_line_end(const struct search *f, size_t at)
{
	return f->data[at] == '\r' && (at + 1 == f->len || f->data[at + 1] == '\n');
}

/* Where the run of the item ends that begins at `at`. */
static inline size_t run_end(const struct search *f, const struct straight_item *item, size_t at)
{
	size_t end = f->len - at > item->max ? at + item->max : f->len;

	if (!f->s->takes_cr) {
		while (at < end && has(item, f->data[at]))
			at++;
		return at;
	}
	while (at < end && has(item, f->data[at]) && !is_line_end(f, at))
		at++;
	return at;
}

/* A match that starts at `start`: its span, or false. */
static bool match_at(struct search *f, size_t start, struct span *ret)
{
	const struct straight *s = f->s;
	size_t first = s->sure_from ? 0 : s->sure_n;
	size_t at = start + first, whole = start + (s->keep < first ? s->keep : first);

	for (size_t i = first; i < s->n; i++) {
		bool sure = i - s->sure_from < s->sure_n;
		size_t end = sure ? at + 1 : run_end(f, &s->items[i], at);

		if (i == s->keep)
			whole = at;
		if (end - at < s->items[i].min) {
			f->vain += end - start;
			return false;
		}
		at = end;
	}
	*ret = (struct span){ whole, at };
	return true;
}

static bool takes_too_long(const struct search *f)
{
	return f->vain > VAIN_MAX * (f->len + 4096);
}

/* ---- where a text says ----------------------------------------------------------------------- */

static size_t by_literal(struct search *f, size_t cursor)
{
	const size_t before = f->s->before;
	size_t at = cursor + before;

	while (f->n < f->max && at < f->len && !takes_too_long(f)) {
		const uint8_t *text = literal_find(&f->s->finder, f->data + at, f->len - at);

		if (!text)
			return f->len;
		at = (size_t)(text - f->data) + 1;
		cursor = at - before;
		if (!match_at(f, cursor - 1, &f->spans[f->n]))
			continue;
		cursor = f->spans[f->n++].end;
		at = cursor + before;
	}
	return at < f->len ? cursor : f->len;
}

/* ---- where a byte of the first item is ------------------------------------------------------- */

/* Every run of one item, which may be of any length: [0-9]+. */
static size_t runs_slow(struct search *f, size_t at)
{
	const struct straight_item *item = &f->s->items[0];

	while (f->n < f->max && at < f->len) {
		size_t end;

		if (!has(item, f->data[at])) {
			at++;
			continue;
		}
		end = run_end(f, item, at);
		if (end - at >= item->min)
			f->spans[f->n++] = (struct span){ at, end };
		at = end;
	}
	return at;
}

/*
 * Where to go on behind a start: from within a run of any length it would come to the same place.
 */
static size_t behind(const struct search *f, size_t at)
{
	const struct straight_item *item = &f->s->items[0];

	return item->max == STRAIGHT_NO_LIMIT ? run_end(f, item, at) : at + 1;
}

static size_t starts_slow(struct search *f, size_t at)
{
	const struct straight_item *item = &f->s->items[0];

	while (f->n < f->max && at < f->len && !takes_too_long(f)) {
		if (!has(item, f->data[at]))
			at++;
		else if (match_at(f, at, &f->spans[f->n]))
			at = f->spans[f->n++].end;
		else
			at = behind(f, at);
	}
	return at;
}

#if defined(__x86_64__)

#define BLOCK 64

struct rows {
	__m256i low, high, bits;
};

__attribute__((target("avx2"))) static inline struct rows load_rows(const struct straight *s)
{
	const __m128i bits = _mm_set1_epi64x((long long)0x8040201008040201ULL);

	return (struct rows){
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)s->rows[0])),
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)s->rows[1])),
		_mm256_broadcastsi128_si256(bits),
	};
}

/* Which of 32 bytes are in the set: the row of the low nibble has the bit of the high one. */
__attribute__((target("avx2"))) static inline uint32_t members(const struct rows *rows,
							       const uint8_t *p)
{
	const __m256i nibble = _mm256_set1_epi8(15);
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	__m256i low = _mm256_and_si256(v, nibble);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble);
	__m256i row = _mm256_blendv_epi8(_mm256_shuffle_epi8(rows->low, low),
					 _mm256_shuffle_epi8(rows->high, low), v);
	__m256i bit = _mm256_shuffle_epi8(rows->bits, high);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit));
}

/*
 * Begins and ends of runs by turns, out of the bits where one byte is a member and its neighbour is
 * not.
 */
__attribute__((target("avx2,bmi"))) static size_t runs_avx2(struct search *f, size_t at)
{
	const struct rows rows = load_rows(f->s);
	const size_t min = f->s->items[0].min;
	struct span *span = f->spans + f->n, *last = f->spans + f->max - BLOCK / 2;
	size_t start = at;
	uint64_t before = 0;

	for (; f->len - at >= BLOCK && span <= last; at += BLOCK) {
		uint64_t in = members(&rows, f->data + at) |
			      (uint64_t)members(&rows, f->data + at + 32) << 32;
		uint64_t edges = in ^ (in << 1 | before);

		if (before && edges) {
			span->start = start;
			span->end = at + (size_t)__builtin_ctzll(edges);
			span += span->end - start >= min;
			edges &= edges - 1;
		}
		while (edges) {
			start = at + (size_t)__builtin_ctzll(edges);
			edges &= edges - 1;
			if (!edges)
				break;
			span->start = start;
			span->end = at + (size_t)__builtin_ctzll(edges);
			span += span->end - start >= min;
			edges &= edges - 1;
		}
		before = in >> 63;
	}
	f->n = (size_t)(span - f->spans);
	/* The run that goes on begins once more. */
	return before ? start : at;
}

__attribute__((target("avx2,bmi"))) static size_t starts_avx2(struct search *f, size_t at)
{
	const struct rows rows = load_rows(f->s);

	while (f->len - at >= 32 && f->n < f->max && !takes_too_long(f)) {
		uint32_t in = members(&rows, f->data + at);

		if (!in) {
			at += 32;
			continue;
		}
		at += (size_t)__builtin_ctz(in);
		if (match_at(f, at, &f->spans[f->n]))
			at = f->spans[f->n++].end;
		else
			at = behind(f, at);
	}
	return at;
}

#endif

static size_t by_first(struct search *f, size_t at)
{
	bool run = f->s->n == 1 && f->s->items[0].max == STRAIGHT_NO_LIMIT;

#if defined(__x86_64__)
	if (f->s->simd)
		at = run ? runs_avx2(f, at) : starts_avx2(f, at);
	if (f->s->simd && f->len - at >= BLOCK && !(run && f->n == 0))
		return at;
#endif
	return run ? runs_slow(f, at) : starts_slow(f, at);
}

bool straight_find(const struct straight *s, const uint8_t *data, size_t len, size_t *cursor,
		   struct span *spans, size_t max, size_t *ret_n)
{
	struct search f = { .s = s, .data = data, .len = len, .spans = spans, .max = max };

	*cursor = s->by_literal ? by_literal(&f, *cursor) : by_first(&f, *cursor);
	*ret_n = f.n;
	return !takes_too_long(&f);
}
