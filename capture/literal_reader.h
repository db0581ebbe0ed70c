/*
 * A place in the text of a pattern, and what single characters, escapes and classes say there.
 *
 * Pure.
 */
#ifndef TW_LITERAL_READER_H
#define TW_LITERAL_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/literal_part.h"

struct literal_reader {
	const uint8_t *p, *end;
	bool utf;
	bool doubt; /* something was not understood: nothing that was read holds */
	bool caseless, extended; /* (?i), (?x) or (?xx), as at this place */
	bool quoted; /* between \Q and \E */
	unsigned int nest;
};

/* Gives up: reads no further. */
struct part reader_doubt(struct literal_reader *reader);

bool reader_at_end(const struct literal_reader *reader);

/* The byte `i` behind the next one; 0 behind the end, which nothing asks for. */
uint8_t reader_peek(const struct literal_reader *reader, size_t i);

/* Whether `text` is next: then it is skipped. */
bool reader_skip(struct literal_reader *reader, const char *text);

/* Behind the next `byte`; in doubt when there is none. */
void reader_skip_behind(struct literal_reader *reader, char byte);

bool reader_is_digit(uint8_t c);
bool reader_is_space(uint8_t c);

/* Up to `max` digits of the base. */
uint32_t reader_number(struct literal_reader *reader, int base, unsigned int max);

/* One character of a set that is not listed here: a byte, or a sequence of UTF-8. */
struct part reader_any(const struct literal_reader *reader);

/* The character that stands here for itself. */
struct part reader_char(struct literal_reader *reader);

/* Behind the backslash. */
struct part reader_escape(struct literal_reader *reader);

/* Behind the bracket. */
struct part reader_class(struct literal_reader *reader);

#endif
