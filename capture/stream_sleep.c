#include "capture/stream_match_parts.h"

/*
 * Behind the bytes that a search may look back at. Bytes that are not visible at the end, how far a
 * text's beginning, a CR and a character reach before it, and where a character ends behind it, are
 * no more than TAIL_SLACK together.
 */
#define TAIL_SLACK 16

size_t stream_match_tail(const struct pattern *pattern)
{
	int64_t before = pattern_required(pattern)->before_max;

	if (!stream_match_by_texts(pattern))
		return 0;
	return pattern_lookback(pattern) + (before > 0 ? (size_t)before : 0) + LITERAL_BYTES_MAX +
	       TAIL_SLACK;
}

/* Where in the tail the search goes on. */
static size_t tail_cursor(const struct stream_match *sm, const struct stream_tail *tail)
{
	switch (tail->start) {
	case STREAM_TAIL_BEGIN:
		return 0;
	case STREAM_TAIL_GAP:
		return 1;
	case STREAM_TAIL_CUT:
		break;
	}
	return pattern_lookback(sm->pattern);
}

/* Also bytes that are not visible may be of a text, and what follows is not looked at with them. */
static bool has_text_at_end(const struct stream_match *sm)
{
	const size_t visible = stream_match_visible(sm), most = LITERAL_BYTES_MAX - 1;
	const size_t from = visible < most ? 0 : visible - most;

	return literal_find(sm->finder, sm->window + from, sm->len - from);
}

bool stream_match_sleep(struct stream_match *sm, const struct stream_tail *tail)
{
	uint64_t from = tail->offset + tail_cursor(sm, tail);

	if (!sm->over) {
		if (!sm->waiting || sm->after > from ||
		    sm->base + sm->cursor.offset < from + (tail->start == STREAM_TAIL_CUT ? 3 : 0))
			return false;
		if (has_text_at_end(sm))
			return false;
	}
	sm->base += sm->len;
	stream_match_done(sm);
	sm->cursor.offset = 0;
	return true;
}

void stream_match_wake(struct stream_match *sm, const struct stream_tail *tail)
{
	size_t cursor = tail_cursor(sm, tail);

	if (sm->over)
		return;
	sm->base = tail->offset;
	sm->begun = tail->start != STREAM_TAIL_BEGIN;
	sm->cursor = (struct extract_cursor){ 0 };
	sm->waiting = false;
	if (tail->len && !stream_match_append(sm, tail->bytes, tail->len)) {
		stream_match_lose(sm, STREAM_LOSS_MEMORY, 0, tail->len);
		sm->over = true;
		return;
	}
	while (pattern_is_utf(sm->pattern) && tail->start == STREAM_TAIL_CUT && cursor < sm->len &&
	       (sm->window[cursor] & 0xc0) == 0x80)
		cursor++;
	sm->cursor.offset = cursor;
}

void stream_match_mark(const struct stream_match *sm, struct stream_match_mark *ret,
		       struct stream_tail *ret_kept)
{
	size_t at = sm->cursor.offset < sm->len ? sm->cursor.offset : sm->len;

	*ret = (struct stream_match_mark){ .at = sm->base + at,
					   .after = sm->after,
					   .not_empty_here = sm->cursor.not_empty_here };
	*ret_kept =
		(struct stream_tail){ .bytes = sm->window,
				      .len = sm->len,
				      .offset = sm->base,
				      .start = sm->begun ? STREAM_TAIL_CUT : STREAM_TAIL_BEGIN };
}

void stream_match_go_on(struct stream_match *sm, struct regex_scratch *scratch,
			const struct stream_tail *kept, const struct stream_match_mark *mark)
{
	size_t before = (size_t)(mark->at - kept->offset);

	stream_match_resume(sm, kept->bytes, before, kept->offset,
			    kept->start != STREAM_TAIL_BEGIN);
	sm->cursor.not_empty_here = mark->not_empty_here;
	sm->after = mark->after;
	stream_match_feed(sm, scratch, kept->bytes + before, kept->len - before);
}
