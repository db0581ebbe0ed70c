#include "capture/literal_find.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BUCKETS 8

/* Texts that have at least as many bytes in common are looked for by those. */
#define COMMON_MIN 4

static bool is_letter(uint8_t byte)
{
	return (uint8_t)((byte | 0x20) - 'a') < 26;
}

static uint8_t folded(uint8_t byte)
{
	return is_letter(byte) ? byte | 0x20 : byte;
}

/* Nothing is searched that is shorter than every text, so there is something. */
#define DATA __attribute__((nonnull))

/* memcmp(3) of few bytes, the first and the last of them: the call would cost more than they do. */
DATA static inline bool same(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint32_t x[2], y[2];

	if (len < sizeof(x[0]) || len > sizeof(x))
		return memcmp(a, b, len) == 0;
	memcpy(&x[0], a, sizeof(x[0]));
	memcpy(&y[0], b, sizeof(y[0]));
	memcpy(&x[1], a + len - sizeof(x[1]), sizeof(x[1]));
	memcpy(&y[1], b + len - sizeof(y[1]), sizeof(y[1]));
	return x[0] == y[0] && x[1] == y[1];
}

DATA static bool text_at(const struct literal_finder *f, const struct literal *text,
			 const uint8_t *p)
{
	if (!f->set.caseless)
		return same(text->bytes, p, text->len);
	for (size_t i = 0; i < text->len; i++) {
		if (folded(p[i]) != text->bytes[i])
			return false;
	}
	return true;
}

/* ---- one text, or several that begin alike --------------------------------------------------- */

/* Of the texts whose beginning may be at `p` one is there. */
DATA static inline bool any_at(const struct literal_finder *f, const uint8_t *p, const uint8_t *end)
{
	for (size_t i = 0; i < f->set.n; i++) {
		if (f->set.v[i].len <= end - p && text_at(f, &f->set.v[i], p))
			return true;
	}
	return false;
}

/* The starts from `p` on, less than one block of them, one by one. */
DATA static const uint8_t *one_slow(const struct literal_finder *f, const uint8_t *p,
				    const uint8_t *last, const uint8_t *end)
{
	for (; p <= last; p++) {
		if ((p[f->rare[0]] | f->rare_fold[0]) == f->rare_byte[0] && any_at(f, p, end))
			return p;
	}
	return NULL;
}

DATA static const uint8_t *find_one_plain(const struct literal_finder *f, const uint8_t *data,
					  size_t len)
{
	const size_t rare = f->rare[0];
	const uint8_t *last, *p = data;

	last = data + (len - f->min_len);
	if (f->rare_fold[0])
		return one_slow(f, data, last, data + len);
	while (p <= last) {
		p = memchr(p + rare, f->rare_byte[0], (size_t)(last - p) + 1);
		if (!p)
			return NULL;
		p -= rare;
		if (any_at(f, p, data + len))
			return p;
		p++;
	}
	return NULL;
}

#if defined(__x86_64__)

#define BLOCK 32

/* What both rare bytes are compared with. Without `fold` letters are of one case. */
struct rare {
	__m256i byte[2], fold[2];
};

/* Which of the starts p .. p + 31 have both rare bytes. */
DATA __attribute__((target("avx2"), always_inline)) static inline __m256i one_block(
	const struct literal_finder *f, const uint8_t *p, const struct rare *rare, bool fold)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)(p + f->rare[0]));
	__m256i b = _mm256_loadu_si256((const __m256i *)(p + f->rare[1]));

	if (fold) {
		a = _mm256_or_si256(a, rare->fold[0]);
		b = _mm256_or_si256(b, rare->fold[1]);
	}
	return _mm256_and_si256(_mm256_cmpeq_epi8(a, rare->byte[0]),
				_mm256_cmpeq_epi8(b, rare->byte[1]));
}

DATA static const uint8_t *one_verify(const struct literal_finder *f, const uint8_t *p,
				      uint64_t hits, const uint8_t *end)
{
	for (; hits; hits &= hits - 1) {
		const uint8_t *at = p + __builtin_ctzll(hits);

		if (any_at(f, at, end))
			return at;
	}
	return NULL;
}

DATA __attribute__((target("avx2"), always_inline)) static inline const uint8_t *find_one_with(
	const struct literal_finder *f, const uint8_t *data, size_t len, bool fold)
{
	const struct rare rare = {
		{ _mm256_set1_epi8((char)f->rare_byte[0]),
		  _mm256_set1_epi8((char)f->rare_byte[1]) },
		{ _mm256_set1_epi8((char)f->rare_fold[0]),
		  _mm256_set1_epi8((char)f->rare_fold[1]) },
	};
	const uint8_t *p = data, *last, *found;

	last = data + (len - f->min_len);
	/* Starts beyond `last` would read beyond the data. */
	for (; last - p >= 2 * BLOCK - 1; p += 2 * BLOCK) {
		__m256i a = one_block(f, p, &rare, fold);
		__m256i b = one_block(f, p + BLOCK, &rare, fold);

		if (_mm256_testz_si256(_mm256_or_si256(a, b), _mm256_set1_epi8(-1)))
			continue;
		found = one_verify(f, p,
				   (uint32_t)_mm256_movemask_epi8(a) |
					   (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << BLOCK,
				   data + len);
		if (found)
			return found;
	}
	for (; last - p >= BLOCK - 1; p += BLOCK) {
		found = one_verify(f, p,
				   (uint32_t)_mm256_movemask_epi8(one_block(f, p, &rare, fold)),
				   data + len);
		if (found)
			return found;
	}
	if (len - f->min_len < BLOCK - 1 || p > last)
		return one_slow(f, p, last, data + len);
	/* The block that ends with the last start: those before `p` fail once more. */
	p = last - (BLOCK - 1);
	return one_verify(f, p, (uint32_t)_mm256_movemask_epi8(one_block(f, p, &rare, fold)),
			  data + len);
}

DATA __attribute__((target("avx2"))) static const uint8_t *find_one_avx2(
	const struct literal_finder *f, const uint8_t *data, size_t len)
{
	return find_one_with(f, data, len, false);
}

DATA __attribute__((target("avx2"))) static const uint8_t *find_one_fold_avx2(
	const struct literal_finder *f, const uint8_t *data, size_t len)
{
	return find_one_with(f, data, len, true);
}

#endif

/* How many bytes the texts have in common at their beginning. */
static size_t common_len(const struct literal_set *set)
{
	size_t len = set->v[0].len;

	for (size_t i = 1; i < set->n; i++) {
		size_t k = 0;

		while (k < len && k < set->v[i].len && set->v[i].bytes[k] == set->v[0].bytes[k])
			k++;
		len = k;
	}
	return len;
}

/* The two rarest of the first `len` bytes, the rarer first; the same place twice for one byte. */
static void choose_rare(struct literal_finder *f, size_t len)
{
	const struct literal *text = &f->set.v[0];

	for (size_t k = 0; k < 2; k++) {
		unsigned int best = 0;
		bool any = false;

		for (size_t i = 0; i < len; i++) {
			unsigned int rarity = literal_rarity(text->bytes[i]);

			if ((k && i == f->rare[0] && len > 1) || (any && rarity <= best))
				continue;
			f->rare[k] = i;
			best = rarity;
			any = true;
		}
		f->rare_byte[k] = text->bytes[f->rare[k]];
		if (f->set.caseless && is_letter(f->rare_byte[k]))
			f->rare_fold[k] = 0x20;
	}
}

/* ---- several texts: buckets by the nibbles of the first bytes, as Hyperscan's Teddy ---------- */

DATA static const uint8_t *bucket_verify(const struct literal_finder *f, const uint8_t *p,
					 size_t left, unsigned int buckets)
{
	for (; buckets; buckets &= buckets - 1) {
		size_t bucket = (size_t)__builtin_ctz(buckets);

		for (size_t i = f->bucket_first[bucket]; i < f->bucket_first[bucket + 1]; i++) {
			const struct literal *text = &f->set.v[f->order[i]];

			if (text->len <= left && text_at(f, text, p))
				return p;
		}
	}
	return NULL;
}

/* Starts from `p` on of which at least min_len bytes, and so every shuffle's byte, are there. */
DATA static const uint8_t *several_slow(const struct literal_finder *f, const uint8_t *p,
					const uint8_t *end)
{
	for (; (size_t)(end - p) >= f->min_len; p++) {
		unsigned int buckets = 0xff;

		for (size_t i = 0; i < f->n_shuffles; i++)
			buckets &= f->low[i][p[i] & 15] & f->high[i][p[i] >> 4];
		if (buckets && bucket_verify(f, p, (size_t)(end - p), buckets))
			return p;
	}
	return NULL;
}

DATA static const uint8_t *find_several_plain(const struct literal_finder *f, const uint8_t *data,
					      size_t len)
{
	return several_slow(f, data, data + len);
}

#if defined(__x86_64__)

DATA __attribute__((target("avx2"))) static inline __m256i several_block(const uint8_t *p, size_t n,
									 const __m256i low[3],
									 const __m256i high[3])
{
	const __m256i nibble = _mm256_set1_epi8(15);
	__m256i buckets = _mm256_set1_epi8(-1);

	for (size_t i = 0; i < n; i++) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + i));
		__m256i l = _mm256_shuffle_epi8(low[i], _mm256_and_si256(v, nibble));
		__m256i h = _mm256_shuffle_epi8(high[i],
						_mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));

		buckets = _mm256_and_si256(buckets, _mm256_and_si256(l, h));
	}
	return buckets;
}

DATA __attribute__((target("avx2"))) static const uint8_t *find_several_avx2(
	const struct literal_finder *f, const uint8_t *data, size_t len)
{
	const uint8_t *p = data, *end = data + len;
	__m256i low[3], high[3];

	for (size_t i = 0; i < 3; i++) {
		low[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)f->low[i]));
		high[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)f->high[i]));
	}
	for (; end - p >= BLOCK + 3; p += BLOCK) {
		__m256i buckets = several_block(p, f->n_shuffles, low, high);
		uint8_t by_start[BLOCK];
		uint32_t hits;

		if (_mm256_testz_si256(buckets, buckets))
			continue;
		_mm256_storeu_si256((__m256i *)by_start, buckets);
		hits = ~(uint32_t)_mm256_movemask_epi8(
			_mm256_cmpeq_epi8(buckets, _mm256_setzero_si256()));
		for (; hits; hits &= hits - 1) {
			size_t at = (size_t)__builtin_ctz(hits);

			if (bucket_verify(f, p + at, (size_t)(end - p) - at, by_start[at]))
				return p + at;
		}
	}
	return several_slow(f, p, end);
}

#endif

static int compare_texts(const struct literal *a, const struct literal *b)
{
	int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);

	return order ? order : a->len - b->len;
}

/* Texts that begin alike share a bucket, so that the buckets' nibbles stay few. */
static void sort_texts(struct literal_finder *f)
{
	for (size_t i = 0; i < f->set.n; i++) {
		size_t at = i;

		for (; at && compare_texts(&f->set.v[i], &f->set.v[f->order[at - 1]]) < 0; at--)
			f->order[at] = f->order[at - 1];
		f->order[at] = (uint8_t)i;
	}
}

static void shuffle_add(struct literal_finder *f, size_t place, uint8_t byte, uint8_t bit)
{
	f->low[place][byte & 15] |= bit;
	f->high[place][byte >> 4] |= bit;
}

static void fill_buckets(struct literal_finder *f)
{
	f->n_shuffles = f->min_len < 3 ? f->min_len : 3;
	sort_texts(f);
	for (size_t b = 0; b <= BUCKETS; b++)
		f->bucket_first[b] = (uint16_t)(b * f->set.n / BUCKETS);
	for (size_t b = 0; b < BUCKETS; b++) {
		for (size_t i = f->bucket_first[b]; i < f->bucket_first[b + 1]; i++) {
			const uint8_t *bytes = f->set.v[f->order[i]].bytes;

			for (size_t place = 0; place < f->n_shuffles; place++) {
				uint8_t bit = (uint8_t)(1u << b), byte = bytes[place];

				shuffle_add(f, place, byte, bit);
				if (f->set.caseless && is_letter(byte))
					shuffle_add(f, place, byte ^ 0x20, bit);
			}
		}
	}
}

void literal_finder_init(struct literal_finder *f, const struct literal_set *set)
{
	size_t common;
	bool one;

	*f = (struct literal_finder){ .set = *set, .min_len = LITERAL_BYTES_MAX };
	for (size_t i = 0; i < set->n; i++) {
		if (set->v[i].len < f->min_len)
			f->min_len = set->v[i].len;
	}
	common = common_len(set);
	/* Two bytes of what they have in common select as well as the nibbles of three of each. */
	one = set->n == 1 || common >= COMMON_MIN;
	if (one)
		choose_rare(f, common);
	else
		fill_buckets(f);
	f->find = one ? find_one_plain : find_several_plain;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		f->find = !one				      ? find_several_avx2
			  : f->rare_fold[0] | f->rare_fold[1] ? find_one_fold_avx2
							      : find_one_avx2;
#endif
}
