#include "capture/stream_match_parts.h"

#include <stdlib.h>
#include <string.h>

/* What is before the cursor and not needed is moved away when it is at least this much. */
#define DROP_MIN 4096u

/* Bytes at the end of the window that begin a character, or are one. */
static size_t last_character(const struct stream_match *sm)
{
	size_t back = 1;

	while (back < 4 && back < sm->len && (sm->window[sm->len - back] & 0xc0) == 0x80)
		back++;
	return back <= sm->len && sm->window[sm->len - back] >= 0xc0 ? back : 0;
}

/*
 * A newline and an incomplete character at the end of the window wait for what follows: PCRE2 takes
 * `$` as true before the last newline and `^` as false behind it although there is more to come, a
 * character that is cut as an invalid one, and begins no match between CR and LF.
 */
size_t stream_match_visible(const struct stream_match *sm)
{
	const uint8_t *window = sm->window;
	size_t len = sm->len;

	if (pattern_is_utf(sm->pattern))
		len -= last_character(sm);
	if (len && window[len - 1] == '\n' && pattern_sees_last_newline(sm->pattern))
		len--;
	if (len && window[len - 1] == '\r')
		len--;
	return len;
}

/* The first byte that is still needed. */
static size_t needed(const struct stream_match *sm)
{
	size_t cursor = sm->cursor.offset < sm->len ? sm->cursor.offset : sm->len;
	size_t lookback = pattern_lookback(sm->pattern), at;

	if (sm->over)
		return sm->len;
	at = cursor > lookback ? cursor - lookback : 0;
	for (int i = 0; i < 3 && pattern_is_utf(sm->pattern) && at; i++) {
		if ((sm->window[at] & 0xc0) != 0x80)
			break;
		at--;
	}
	return at;
}

void stream_match_drop(struct stream_match *sm)
{
	size_t n = needed(sm);

	if (n < DROP_MIN && n < sm->len)
		return;
	if (n == 0)
		return;
	memmove(sm->window, sm->window + n, sm->len - n);
	sm->len -= n;
	sm->base += n;
	sm->begun = true;
	sm->cursor.offset = sm->cursor.offset > n ? sm->cursor.offset - n : 0;
}

bool stream_match_append(struct stream_match *sm, const uint8_t *bytes, size_t len)
{
	size_t cap = sm->cap ? sm->cap : 1024;
	uint8_t *window;

	while (cap < sm->len + len)
		cap *= 2;
	if (cap != sm->cap) {
		window = realloc(sm->window, cap);
		if (!window)
			return false;
		sm->window = window;
		sm->cap = cap;
	}
	memcpy(sm->window + sm->len, bytes, len);
	sm->len += len;
	return true;
}
