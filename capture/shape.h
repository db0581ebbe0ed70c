/*
 * Finds where patterns without a text can match: by a few bytes in a row that each have to be of
 * some set, as the three digits, the dash and the two digits of `\d{3}-\d{2}-\d{4}`.
 *
 * Pure. Read from the text of the pattern, without PCRE2; where the reading is in doubt there is no
 * shape. Many shapes are looked for in one pass, a bit for each place of each of them. Where one is
 * found PCRE2 has the last word, so what is found does not depend on shapes.
 *
 * Vectorscan 5.4.9 of Debian 12 does the same for whole patterns: 16 of them without a text, on 16
 * MiB of a log, took 290 ms by PCRE2 alone, 77 to 94 by Vectorscan after 71 to 87 to compile them,
 * and 120 to 130 this way, all told. With 1000 texts it took 1219 ms to compile and 122 to scan,
 * and the texts of prefilter.h 40. It also needs care where its `$`, `^` and CR are not those of
 * PCRE2.
 */
#ifndef TW_SHAPE_H
#define TW_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHAPE_BYTES_MAX 8u
#define SHAPES_MAX	32u

/* Every match has, one behind the other, a byte of each set in it. */
struct shape {
	uint64_t sets[SHAPE_BYTES_MAX][4]; /* as of set_reader.h */
	uint32_t len; /* 0: nothing is known that is seldom enough */
};

/* `regex` is one of bytes that PCRE2 compiles with these options. */
void shape_read(const char *regex, bool caseless, bool dotall, struct shape *ret);

#define SHAPE_WORDS (SHAPES_MAX / SHAPE_BYTES_MAX)

/* Immutable once made: several threads may use it. */
struct shapes {
	uint64_t table[256][SHAPE_WORDS]; /* by byte: the places of shapes that it may be at */
	uint64_t first[SHAPE_WORDS], last[SHAPE_WORDS];
	uint32_t rules[SHAPES_MAX]; /* whose shape it is */
	uint32_t n;
};

void shapes_init(struct shapes *shapes);

/* False when there are SHAPES_MAX. */
bool shapes_add(struct shapes *shapes, const struct shape *shape, uint32_t rule);

struct shape_walk {
	const struct shapes *shapes;
	const uint8_t *p, *end;
	uint64_t state[SHAPE_WORDS];
	uint64_t last[SHAPE_WORDS]; /* of the shapes that are still looked for */
};

struct shape_hit {
	const uint8_t *at; /* the last byte of the shapes */
	uint64_t found[SHAPE_WORDS];
};

void shape_walk_begin(struct shape_walk *walk, const struct shapes *shapes, const uint8_t *data,
		      size_t len);

/* The next place where one ends; false when there are no more. */
bool shape_walk_next(struct shape_walk *walk, struct shape_hit *ret);

/*
 * Which rules have theirs in the data: sets bit i % 64 of word i / 64 for rule i, and clears the
 * others'.
 */
void shapes_choose(const struct shapes *shapes, const uint8_t *data, size_t len, uint64_t *rules);

/* The rules of a hit, at most SHAPES_MAX. Returns how many. */
size_t shape_hit_rules(const struct shapes *shapes, const struct shape_hit *hit, uint32_t *ret);

#endif
