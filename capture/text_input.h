/*
 * A text file, a part of one, or a pipe, as blocks of whole lines. Edge.
 *
 * Pipes and small files are read into a buffer. A large file can be mapped: then a piece is only
 * what the file had, if that is asked when it was looked at.
 */
#ifndef TW_TEXT_INPUT_H
#define TW_TEXT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/text_map.h"

#define TEXT_INPUT_BLOCK (256u << 10)

/* Mapped at once; faults cost the same for any size, calls and lines that go on do not. */
#define TEXT_INPUT_WINDOW ((size_t)4 << 20)

/* A longer line is handed over in parts: the buffer is bounded, lines are not. */
#define TEXT_INPUT_LINE_MAX ((size_t)1 << 20)

enum text_piece {
	TEXT_END,
	TEXT_LINES, /* whole lines; the last line of the text may lack its LF */
	TEXT_PART, /* of a line, or of a text that is not read by line */
	TEXT_LAST_PART, /* which may be empty; of a line without its LF or CRLF */
};

struct text_input {
	int fd; /* stays the caller's */
	bool whole; /* not by line: parts alone */
	bool seekable; /* read from `at` on, so that several may read one file */
	uint64_t at; /* in the file, of what is read next */
	uint64_t stop; /* lines that begin here or behind are not ours; UINT64_MAX: all are */
	size_t line_max; /* TEXT_INPUT_LINE_MAX, unless the owner sets another */
	bool skipped; /* the first line began before ours: */
	uint8_t *buffer; /* `cap` bytes, unless mapped */
	struct text_map map;
	bool mapped;
	const uint8_t *data; /* of the buffer or the map: */
	size_t cap, begin, end; /* what is read and not handed over */
	uint64_t offset; /* of data[begin] in the file */
	size_t given; /* of it, to be let go with the next call */
	bool at_end, in_line, done;
};

/*
 * The lines of the file that begin from `start` to before `stop`; of one that is not seekable all,
 * with 0 and UINT64_MAX. -ENOMEM.
 */
int text_input_open(struct text_input *input, int fd, bool seekable, uint64_t start, uint64_t stop);
/* Before anything else of an input that is not seekable: bytes that were read to see what it is. */
void text_input_unread(struct text_input *input, const uint8_t *head, size_t len);
void text_input_close(struct text_input *input);

/* Before the first piece: so much is read at once, if it is there. -ENOMEM. */
int text_input_room(struct text_input *input, uint64_t size);

/* Before the first piece, of a seekable file: lines come from a mapping as long as that can be. */
void text_input_map(struct text_input *input);

/*
 * Whether the piece was all of the file. If not, what was found in it is nothing, and
 * text_input_retry() gives it once more, as far as it goes, read and not mapped.
 */
bool text_input_intact(const struct text_input *input);
void text_input_retry(struct text_input *input);

/*
 * Goes to the first line of ours, as text_input_next() does by itself: `offset` is then where it
 * begins. 0 or read(2)'s error.
 */
int text_input_skip(struct text_input *input);

/* The next piece, valid until the next call, and its offset in the file; or read(2)'s error. */
int text_input_next(struct text_input *input, enum text_piece *ret_piece, const uint8_t **ret_data,
		    size_t *ret_len, uint64_t *ret_offset);

#endif
