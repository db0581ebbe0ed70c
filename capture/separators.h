/*
 * Where the separators of records are in one part of a text, which is searched before anybody knows
 * where the last separator of the parts before ends.
 *
 * Pure. What separates at one place does not depend on where the search for it began. So a search
 * that begins with the part finds the right ones, unless a separator of the part before reaches
 * into it: then it begins once more behind that, and goes on until it is at a place that was found
 * the first time.
 *
 * That does not hold behind what was given up, nor does it pay where the two searches do not come
 * together: such a part is `unsure`, and whoever knows all before it searches on from there.
 */
#ifndef TW_SEPARATORS_H
#define TW_SEPARATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/stream_match.h"

/* What separates is short; what would be longer is told as a loss. */
#define SEPARATOR_MAX ((size_t)1 << 20)

struct separator {
	uint32_t at; /* behind where the part begins */
	uint32_t len;
};

struct separator_list {
	struct separator *v;
	size_t n, cap;
	bool failed; /* out of memory: there are more */
};

/* So many that only the second search finds, one behind the other: they do not come together. */
#define SEPARATORS_APART_MAX 1024u

/* Begins a search. `finder` is the caller's room. As stream_match_init(). */
int separator_search_init(struct stream_match *sm, const struct pattern *separator,
			  struct literal_finder *finder, const struct stream_match_ops *ops,
			  void *data);

struct separators {
	struct stream_match search;
	struct literal_finder finder;
	struct separator_list list, guessed;
	size_t next; /* of those guessed */
	bool again; /* the second search */
	bool unsure; /* the list is of no use */
	uint64_t begin, stop; /* the part: separators begin in it */
	uint64_t from;
	bool over;
};

/* Why one has to know the text before; NULL: parts can be searched. */
const char *separators_alone(const struct pattern *separator);

/* 0 or a negative errno. */
int separators_init(struct separators *s, const struct pattern *separator);
void separators_done(struct separators *s);

/*
 * Begins with a part, from `begin` to before `stop` of a text. The search begins at `from`: at
 * `begin`, or a byte before it when that is a CR; what is fed goes on from there. `before` are the
 * bytes that precede it, of which as many as pattern_lookback() matter.
 */
void separators_begin(struct separators *s, uint64_t begin, uint64_t stop, uint64_t from,
		      const uint8_t *before, size_t len);

/* The same part from another place on. */
void separators_again(struct separators *s, uint64_t from, const uint8_t *before, size_t len);

/* True: nothing more is needed. What is undecided at the end of the text is unsure. */
bool separators_feed(struct separators *s, struct regex_scratch *scratch, const uint8_t *bytes,
		     size_t len);

#endif
