/*
 * Every match of one pattern in a subject that comes in pieces: the matches that extract() finds in
 * the whole, however it was cut.
 *
 * Pure. What a match may still need is kept: from where the next search begins, and before it as
 * far as the pattern looks back. A match is told as soon as no byte to come can change it. Where
 * one could go on for ever, as `x.*` without a newline, what is kept is bounded: so many bytes from
 * its start are told as a loss, and the search goes on behind them. Only at the match limit of the
 * pattern does the result depend on the cuts.
 */
#ifndef TW_STREAM_MATCH_H
#define TW_STREAM_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/hit.h"
#include "capture/literal_find.h"

enum stream_loss {
	STREAM_LOSS_OVERFLOW, /* a match would be larger than what may be kept */
	STREAM_LOSS_LIMIT, /* REGEX_LIMIT */
	STREAM_LOSS_ERROR, /* REGEX_ERROR */
	STREAM_LOSS_TOO_MANY, /* the policy's max matches were told: all behind is not searched */
	STREAM_LOSS_MEMORY,
	STREAM_LOSSES
};

struct stream_match_ops {
	hit_cb match; /* rule and line are 0 */
	/* From `from` on the bytes before `to` were not, or not fully, searched. */
	void (*loss)(void *data, enum stream_loss why, uint64_t from, uint64_t to);
};

struct stream_match {
	const struct pattern *pattern;
	const struct extract_policy *policy;
	const struct stream_match_ops *ops;
	void *data;
	const struct literal_finder *finder; /* NULL: there is no text to go by */
	size_t max;

	uint8_t *window; /* the bytes that are kept, and those that are new */
	size_t len, cap;
	uint64_t base; /* offset of window[0] in the subject */
	bool begun; /* window[0] is not the subject's first byte */
	bool gap; /* what is told now ends at a gap */
	bool over; /* nothing is searched any more */
	struct extract_cursor cursor; /* in the window */
	size_t tried; /* bytes from the cursor on that did not decide a match */
	size_t told; /* matches */
	uint64_t
		after; /* one more than where the search went on behind the last of them; 0: none */
	bool waiting; /* for a text: none is in what was seen */
};

/*
 * All that is pointed to is the caller's and outlives this. `finder` is for the pattern's required
 * texts, NULL if it has none. `max` bounds the bytes that are kept; memory is taken as it is
 * needed, at most about the double. -E2BIG: the pattern looks back further than `max` allows.
 */
int stream_match_init(struct stream_match *sm, const struct pattern *pattern,
		      const struct literal_finder *finder, const struct extract_policy *policy,
		      size_t max, const struct stream_match_ops *ops, void *data);
void stream_match_done(struct stream_match *sm);

/* A subject begins at `offset` of the input; one that was begun is forgotten. */
void stream_match_begin(struct stream_match *sm, uint64_t offset);

/* The next bytes of the subject. */
void stream_match_feed(struct stream_match *sm, struct regex_scratch *scratch, const uint8_t *bytes,
		       size_t len);

/* The subject ends here; what is fed next begins another, at `offset` of the input. */
void stream_match_end(struct stream_match *sm, struct regex_scratch *scratch, uint64_t offset);

/*
 * `len` bytes are missing here. What a match that reaches the gap would be without more is told
 * with `gap` set; nothing spans it, and what comes after is not the beginning of the subject. An
 * assertion that looks back into the gap sees a NUL byte.
 */
void stream_match_gap(struct stream_match *sm, struct regex_scratch *scratch, uint64_t len);

/*
 * Whether what came last was not tried, because all before it had just been tried in vain: it waits
 * for more to come with, or for stream_match_flush() after a pause.
 */
bool stream_match_is_late(const struct stream_match *sm);
void stream_match_flush(struct stream_match *sm, struct regex_scratch *scratch);

/*
 * Goes on with another part of a subject: `len` bytes that are only looked back at, at `offset`,
 * and then what is fed. With `begun` the first of them is not where the subject began.
 */
void stream_match_resume(struct stream_match *sm, const uint8_t *before, size_t len,
			 uint64_t offset, bool begun);

/* Nothing more of the subject is searched. */
void stream_match_stop(struct stream_match *sm);

/*
 * Sleep: while none of the texts comes that a match needs, the last bytes of the subject are all
 * that has to be kept, and whoever feeds many patterns keeps them once for all.
 */

/* How many bytes that is; 0: the pattern has to see everything. */
size_t stream_match_tail(const struct pattern *pattern);

/*
 * A tail of a subject. It begins with the subject, or with a NUL byte that stands for a gap, or
 * something was cut off before it.
 */
struct stream_tail {
	const uint8_t *bytes;
	size_t len;
	uint64_t offset; /* of its first byte */
	enum stream_tail_start {
		STREAM_TAIL_BEGIN,
		STREAM_TAIL_GAP,
		STREAM_TAIL_CUT,
	} start;
};

/*
 * Lets go of the window if what was seen has no text and no match that the tail, which ends where
 * the subject does now, does not give again. False: it has to be fed on.
 */
bool stream_match_sleep(struct stream_match *sm, const struct stream_tail *tail);

/*
 * Goes on with the tail, which has at least stream_match_tail() bytes where something was cut off.
 */
void stream_match_wake(struct stream_match *sm, const struct stream_tail *tail);

/* The bytes of the subject before it are not needed any more: no match to come starts there. */
uint64_t stream_match_needs(const struct stream_match *sm);

/*
 * Whether there is a match that is not told yet, if the subject ends here, `$` aside: it may be
 * another one, or none, with what is to come. REGEX_NO_MATCH, REGEX_MATCH, or why that is not
 * known.
 */
enum regex_result stream_match_peek(const struct stream_match *sm, struct regex_scratch *scratch);

/*
 * For another process that goes on with the same subject: where a search has come to in it, and the
 * bytes that it keeps.
 */
struct stream_match_mark {
	uint64_t at; /* where the next search begins */
	uint64_t
		after; /* one more than where it went on behind the last match; 0: there was none */
	bool not_empty_here;
};

void stream_match_mark(const struct stream_match *sm, struct stream_match_mark *ret,
		       struct stream_tail *ret_kept);

/* Goes on there with what was kept, in which the mark is. */
void stream_match_go_on(struct stream_match *sm, struct regex_scratch *scratch,
			const struct stream_tail *kept, const struct stream_match_mark *mark);

/* "overflow", "limit" ... */
const char *stream_loss_name(enum stream_loss why);

#endif
