#include "capture/stream_match_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Bytes are searched in slices of at most this, so that a large piece needs no large window. */
#define SLICE (256u << 10)

/*
 * A match that is not decided is tried again with every piece while that costs little, then when
 * there is a quarter more of it: so all tries together stay linear.
 */
#define RETRY_FREE 4096u
#define RETRY_PART 4u

/* Without a bound before it, a text that is not there says nothing about what is to come. */
bool stream_match_by_texts(const struct pattern *pattern)
{
	const struct literal_set *required = pattern_required(pattern);

	return required->n && required->before_max < LITERAL_FAR && pattern_may_restart(pattern);
}

int stream_match_init(struct stream_match *sm, const struct pattern *pattern,
		      const struct literal_finder *finder, const struct extract_policy *policy,
		      size_t max, const struct stream_match_ops *ops, void *data)
{
	if (pattern_lookback(pattern) > max / 2)
		return -E2BIG;
	*sm = (struct stream_match){
		.pattern = pattern,
		/* Where no text is, the search lags behind by that much. */
		.finder = stream_match_by_texts(pattern) && stream_match_tail(pattern) <= max / 2
				  ? finder
				  : NULL,
		.policy = policy,
		.max = max,
		.ops = ops,
		.data = data,
	};
	return 0;
}

void stream_match_done(struct stream_match *sm)
{
	free(sm->window);
	sm->window = NULL;
	sm->len = sm->cap = 0;
}

void stream_match_lose(struct stream_match *sm, enum stream_loss why, size_t from, size_t to)
{
	sm->ops->loss(sm->data, why, sm->base + from, sm->base + to);
}

/* Where a search may begin that is to find what one from before `at` finds. */
static size_t safe_start(const struct stream_match *sm, size_t at, size_t from)
{
	/* PCRE2 does not start between CR and LF, unless it is told to. */
	if (at > from && sm->window[at - 1] == '\r')
		at--;
	for (int i = 0; i < 3 && pattern_is_utf(sm->pattern) && at > from && at < sm->len; i++) {
		if ((sm->window[at] & 0xc0) != 0x80)
			break;
		at--;
	}
	return at;
}

static void move_cursor(struct stream_match *sm, size_t at)
{
	if (at <= sm->cursor.offset)
		return;
	sm->cursor.offset = at;
	sm->cursor.not_empty_here = false;
}

static size_t minus(size_t at, int64_t bytes)
{
	int64_t result = (int64_t)at - bytes;

	return result < 0 ? 0 : (size_t)result;
}

/*
 * Moves the cursor to where the next match can start, as the texts tell that it needs; false when
 * there is none of them, and so no match before the end of the window.
 */
static bool jump(struct stream_match *sm, size_t visible, bool more)
{
	const struct literal_set *set = &sm->finder->set;
	size_t from = minus(sm->cursor.offset, -set->before_min);
	const uint8_t *at = NULL;
	size_t place;

	if (from < visible)
		at = literal_find(sm->finder, sm->window + from, visible - from);
	/* One may begin in the last bytes; also before another that is all there. */
	place = minus(visible, LITERAL_BYTES_MAX - 1);
	if (at && (!more || (size_t)(at - sm->window) < place))
		place = (size_t)(at - sm->window);
	place = minus(place, set->before_max);
	if (place > visible)
		place = visible;
	if (place > sm->cursor.offset)
		move_cursor(sm, safe_start(sm, place, sm->cursor.offset));
	return at;
}

static unsigned int how_to(const struct stream_match *sm, bool more)
{
	unsigned int how = 0;

	how |= sm->cursor.not_empty_here ? REGEX_NOT_EMPTY_HERE : 0;
	how |= more ? REGEX_MORE : 0;
	how |= sm->begun ? REGEX_NOT_BEGIN : 0;
	return how;
}

static void tell(struct stream_match *sm, struct regex_scratch *scratch, size_t visible)
{
	struct span groups[PATTERN_GROUPS_MAX];
	struct extract_match match;

	if (!extract_take(sm->pattern, sm->policy, scratch, sm->window, visible, &sm->cursor,
			  &match, groups))
		return;
	if (sm->told == sm->policy->max) {
		stream_match_lose(sm, STREAM_LOSS_TOO_MANY, match.whole.start, sm->len);
		sm->over = true;
		return;
	}
	sm->told++;
	sm->after = sm->base + sm->cursor.offset + 1;
	sm->ops->match(sm->data, &(struct hit){ .match = &match,
						.subject = sm->window,
						.offset = sm->base,
						.gap = sm->gap });
}

/* Nothing starts before the end of what was seen; or, with `partial`, before its start. */
static void undecided(struct stream_match *sm, struct regex_scratch *scratch, size_t visible,
		      bool partial)
{
	size_t at = partial ? regex_start(scratch) : visible;

	if (pattern_may_restart(sm->pattern))
		move_cursor(sm, at);
	sm->tried = sm->cursor.offset < visible ? visible - sm->cursor.offset : 0;
}

/* A step of one character from the match before: how far it goes was not to be seen then. */
static void finish_step(struct stream_match *sm, size_t visible)
{
	if (!sm->policy->starts || !pattern_is_utf(sm->pattern))
		return;
	while (sm->cursor.offset && sm->cursor.offset < visible &&
	       (sm->window[sm->cursor.offset] & 0xc0) == 0x80)
		sm->cursor.offset++;
}

/* One search: false when no more is to be found in what is there. */
static bool search(struct stream_match *sm, struct regex_scratch *scratch, size_t visible,
		   bool more)
{
	enum regex_result result;

	sm->waiting = false;
	finish_step(sm, visible);
	if (more && sm->cursor.offset == visible && sm->policy->starts)
		return false;
	if (sm->finder && !jump(sm, visible, more)) {
		sm->waiting = true;
		sm->tried = 0;
		return false;
	}
	result = pattern_match(sm->pattern, scratch, sm->window, visible, sm->cursor.offset,
			       how_to(sm, more));
	switch (result) {
	case REGEX_MATCH:
		sm->tried = 0;
		tell(sm, scratch, visible);
		return !sm->over;
	case REGEX_PARTIAL:
	case REGEX_NO_MATCH:
		undecided(sm, scratch, visible, result == REGEX_PARTIAL);
		return false;
	case REGEX_LIMIT:
	case REGEX_ERROR:
		stream_match_lose(sm, result == REGEX_LIMIT ? STREAM_LOSS_LIMIT : STREAM_LOSS_ERROR,
				  sm->cursor.offset, visible);
		move_cursor(sm, visible);
		sm->tried = 0;
		return false;
	}
	return false;
}

static void search_all(struct stream_match *sm, struct regex_scratch *scratch, size_t visible,
		       bool more)
{
	static const uint8_t nothing[1];
	uint8_t *window = sm->window;

	if (!window)
		sm->window = (uint8_t *)nothing;
	while (!sm->over && sm->cursor.offset <= visible && search(sm, scratch, visible, more))
		sm->cursor.at_end = false;
	sm->cursor.at_end = false;
	sm->window = window;
}

static size_t behind_cursor(const struct stream_match *sm, size_t visible)
{
	return visible > sm->cursor.offset ? visible - sm->cursor.offset : 0;
}

/* How many bytes more may come before what is not decided is given up. */
static size_t room(const struct stream_match *sm)
{
	size_t held = behind_cursor(sm, sm->len), max = sm->max - pattern_lookback(sm->pattern);

	return held < max ? max - held : 0;
}

/* At so many bytes, however they came. */
static void give_up(struct stream_match *sm)
{
	stream_match_lose(sm, STREAM_LOSS_OVERFLOW, sm->cursor.offset, sm->len);
	move_cursor(sm, sm->len);
	sm->tried = 0;
}

/* Much was tried, and little has come since. */
static bool awaits_more(const struct stream_match *sm, size_t visible)
{
	return sm->tried >= RETRY_FREE &&
	       behind_cursor(sm, visible) - sm->tried < sm->tried / RETRY_PART;
}

/*
 * In UTF-8, where PCRE2 finds empty matches next to what is invalid depends on where the search
 * began and on what is behind: that is left until all is there.
 */
static bool put_off(const struct stream_match *sm, size_t visible)
{
	return (pattern_is_utf(sm->pattern) && sm->policy->keep_empty) ||
	       (room(sm) && awaits_more(sm, visible));
}

static void feed_slice(struct stream_match *sm, struct regex_scratch *scratch, const uint8_t *bytes,
		       size_t len)
{
	size_t visible;

	if (!stream_match_append(sm, bytes, len)) {
		sm->ops->loss(sm->data, STREAM_LOSS_MEMORY, stream_match_needs(sm),
			      sm->base + sm->len + len);
		sm->base += sm->len + len;
		sm->len = 0;
		sm->over = true;
		return;
	}
	visible = stream_match_visible(sm);
	if (!put_off(sm, visible))
		search_all(sm, scratch, visible, true);
	if (!room(sm))
		give_up(sm);
	stream_match_drop(sm);
}

void stream_match_feed(struct stream_match *sm, struct regex_scratch *scratch, const uint8_t *bytes,
		       size_t len)
{
	while (len) {
		size_t n = len < SLICE ? len : SLICE;

		if (n > room(sm) && !sm->over)
			n = room(sm) ? room(sm) : 1;
		if (sm->over)
			sm->base += n;
		else
			feed_slice(sm, scratch, bytes, n);
		bytes += n;
		len -= n;
	}
}

void stream_match_begin(struct stream_match *sm, uint64_t offset)
{
	sm->len = 0;
	sm->base = offset;
	sm->begun = false;
	sm->gap = false;
	sm->over = false;
	sm->cursor = (struct extract_cursor){ 0 };
	sm->tried = 0;
	sm->told = 0;
	sm->after = 0;
	sm->waiting = false;
}

void stream_match_end(struct stream_match *sm, struct regex_scratch *scratch, uint64_t offset)
{
	search_all(sm, scratch, sm->len, false);
	stream_match_begin(sm, offset);
}

void stream_match_gap(struct stream_match *sm, struct regex_scratch *scratch, uint64_t len)
{
	static const uint8_t missing[1];
	uint64_t next = sm->base + sm->len + len;
	size_t told;
	bool over;

	if (!len)
		return;
	sm->gap = true;
	search_all(sm, scratch, sm->len, false);
	over = sm->over;
	told = sm->told;
	stream_match_begin(sm, next);
	sm->told = told;
	sm->begun = true;
	sm->over = over || !stream_match_append(sm, missing, 1);
	if (!over && sm->over)
		sm->ops->loss(sm->data, STREAM_LOSS_MEMORY, next, next);
	if (sm->over)
		return;
	sm->base = next - 1;
	sm->cursor.offset = 1;
}

enum regex_result stream_match_peek(const struct stream_match *sm, struct regex_scratch *scratch)
{
	size_t from = sm->cursor.offset;

	if (sm->over || from >= sm->len)
		return REGEX_NO_MATCH;
	if (sm->finder) {
		size_t at = minus(from, -sm->finder->set.before_min);

		if (at >= sm->len || !literal_find(sm->finder, sm->window + at, sm->len - at))
			return REGEX_NO_MATCH;
	}
	return pattern_match(sm->pattern, scratch, sm->window, sm->len, from,
			     how_to(sm, false) | REGEX_OPEN_END);
}

bool stream_match_is_late(const struct stream_match *sm)
{
	const size_t visible = stream_match_visible(sm);

	return !sm->over && awaits_more(sm, visible) && behind_cursor(sm, visible) > sm->tried;
}

void stream_match_flush(struct stream_match *sm, struct regex_scratch *scratch)
{
	if (!stream_match_is_late(sm))
		return;
	search_all(sm, scratch, stream_match_visible(sm), true);
	stream_match_drop(sm);
}

void stream_match_resume(struct stream_match *sm, const uint8_t *before, size_t len,
			 uint64_t offset, bool begun)
{
	stream_match_begin(sm, offset);
	sm->begun = begun;
	sm->cursor.offset = len;
	if (len && !stream_match_append(sm, before, len)) {
		stream_match_lose(sm, STREAM_LOSS_MEMORY, 0, len);
		sm->over = true;
	}
}

void stream_match_stop(struct stream_match *sm)
{
	sm->base += sm->len;
	stream_match_done(sm);
	sm->cursor.offset = 0;
	sm->over = true;
}

uint64_t stream_match_needs(const struct stream_match *sm)
{
	size_t cursor = sm->cursor.offset < sm->len ? sm->cursor.offset : sm->len;

	return sm->base + (sm->over ? sm->len : cursor);
}

const char *stream_loss_name(enum stream_loss why)
{
	static const char *const names[] = {
		[STREAM_LOSS_OVERFLOW] = "overflow", [STREAM_LOSS_LIMIT] = "limit",
		[STREAM_LOSS_ERROR] = "error",	     [STREAM_LOSS_TOO_MANY] = "too-many",
		[STREAM_LOSS_MEMORY] = "memory",
	};

	return names[why];
}
