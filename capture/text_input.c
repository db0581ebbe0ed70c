#include "capture/text_input.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int text_input_open(struct text_input *input, int fd, bool seekable, uint64_t start, uint64_t stop)
{
	*input = (struct text_input){
		.fd = fd,
		.seekable = seekable,
		.stop = stop,
		.line_max = TEXT_INPUT_LINE_MAX,
	};
	input->cap = TEXT_INPUT_BLOCK;
	input->data = input->buffer = malloc(input->cap);
	if (!input->buffer)
		return -ENOMEM;
	/* The byte before says whether a line begins here. */
	input->at = input->offset = start ? start - 1 : 0;
	input->skipped = start == 0;
	return 0;
}

/*
 * A part of a file is read not much further than it goes: to the end of its last line, as a rule.
 */
#define BEHIND 4096u

int text_input_room(struct text_input *input, uint64_t size)
{
	size_t cap = (size_t)size + BEHIND;
	uint8_t *buffer;

	if (cap <= input->cap)
		return 0;
	buffer = realloc(input->buffer, cap);
	if (!buffer)
		return -ENOMEM;
	input->data = input->buffer = buffer;
	input->cap = cap;
	return 0;
}

void text_input_unread(struct text_input *input, const uint8_t *head, size_t len)
{
	assert(len <= input->cap && !input->end);
	if (len)
		memcpy(input->buffer, head, len);
	input->end = len;
	input->at = len;
}

void text_input_close(struct text_input *input)
{
	if (input->mapped)
		text_map_done(&input->map);
	free(input->buffer);
	input->buffer = NULL;
}

void text_input_map(struct text_input *input)
{
	text_map_init(&input->map, input->fd);
	input->mapped = true;
	input->cap = TEXT_INPUT_WINDOW;
}

/* From here on it is read; so is what was mapped behind `offset`. */
static void unmap(struct text_input *input)
{
	text_map_done(&input->map);
	input->mapped = false;
	input->data = input->buffer;
	input->cap = TEXT_INPUT_BLOCK;
	input->begin = input->end = 0;
	input->at = input->offset;
	input->at_end = false;
}

bool text_input_intact(const struct text_input *input)
{
	return !input->mapped || text_map_intact(&input->map);
}

void text_input_retry(struct text_input *input)
{
	input->given = 0;
	unmap(input);
}

static size_t wanted(const struct text_input *input)
{
	size_t room = input->cap - input->end;

	if (input->stop == UINT64_MAX)
		return room;
	if (input->at >= input->stop)
		return room < 16 * BEHIND ? room : 16 * BEHIND;
	return room < input->stop - input->at + BEHIND ? room
						       : (size_t)(input->stop - input->at) + BEHIND;
}

/* A window from what is held on. */
static int fill_mapped(struct text_input *input)
{
	size_t before = input->end - input->begin, len;
	size_t room = input->cap;

	if (input->stop != UINT64_MAX && input->stop < input->offset + room)
		room = (input->stop > input->offset ? (size_t)(input->stop - input->offset) : 0) +
		       BEHIND;
	if (room <= before)
		room = 2 * before;
	/* Where it cannot be mapped it may still be read. */
	if (text_map_window(&input->map, input->offset, room, &input->data, &len)) {
		unmap(input);
		return 0;
	}
	input->at_end = len <= before;
	input->begin = 0;
	input->end = len;
	input->at = input->offset + len;
	return 0;
}

/* Adds what can be read at once; at_end when there was nothing. */
static int fill(struct text_input *input)
{
	size_t room = wanted(input);
	ssize_t n;

	if (input->mapped)
		return fill_mapped(input);
	do {
		n = input->seekable
			    ? pread(input->fd, input->buffer + input->end, room, (off_t)input->at)
			    : read(input->fd, input->buffer + input->end, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	input->at_end = n == 0;
	input->at += (uint64_t)n;
	input->end += (size_t)n;
	return 0;
}

static size_t held(const struct text_input *input)
{
	return input->end - input->begin;
}

static void let_go(struct text_input *input, size_t n)
{
	input->begin += n;
	input->offset += n;
}

static void move_down(struct text_input *input)
{
	memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
	input->end -= input->begin;
	input->begin = 0;
}

/* -ENOMEM; 1 when the line is too long for a buffer. */
static int make_room(struct text_input *input)
{
	uint8_t *buffer;

	if (input->mapped) {
		if (held(input) < input->line_max)
			return 0;
		unmap(input);
		return 0;
	}
	if (input->begin)
		move_down(input);
	if (input->end < input->cap)
		return 0;
	if (input->cap >= input->line_max)
		return 1;
	assert(input->cap); /* since it was opened */
	buffer = realloc(input->buffer, 2 * input->cap);
	if (!buffer)
		return -ENOMEM;
	input->data = input->buffer = buffer;
	input->cap *= 2;
	return 0;
}

int text_input_skip(struct text_input *input)
{
	while (!input->skipped) {
		const uint8_t *from = input->data + input->begin;
		const uint8_t *newline = memchr(from, '\n', input->end - input->begin);
		int code;

		if (newline) {
			let_go(input, (size_t)(newline - from) + 1);
			input->skipped = true;
			return 0;
		}
		let_go(input, input->end - input->begin);
		input->begin = input->end = 0;
		/* The line that began before reaches beyond what is ours. */
		if (input->at_end || input->offset >= input->stop)
			return 0;
		code = fill(input);
		if (code)
			return code;
	}
	return 0;
}

/*
 * How much of what is there are whole lines of ours: a line is ours when it begins before `stop`,
 * so the last ends with the first LF from stop - 1 on.
 */
static size_t whole_lines(const struct text_input *input)
{
	const uint8_t *data = input->data + input->begin;
	const uint8_t *newline;
	size_t len = held(input);

	if (input->stop != UINT64_MAX && input->offset + len > input->stop) {
		size_t from = input->stop > input->offset ? (size_t)(input->stop - input->offset)
							  : 1;

		newline = memchr(data + from - 1, '\n', len - from + 1);
		if (newline)
			return (size_t)(newline - data) + 1;
		len = from - 1;
	}
	newline = len ? memrchr(data, '\n', len) : NULL;
	return newline ? (size_t)(newline - data) + 1 : 0;
}

static void give(struct text_input *input, size_t len, const uint8_t **ret_data, size_t *ret_len,
		 uint64_t *ret_offset)
{
	input->given = len;
	*ret_data = input->data + input->begin;
	*ret_len = len;
	*ret_offset = input->offset;
}

/* Of a line that is too long, or of a whole text: what is there, up to the LF. */
static enum text_piece part(struct text_input *input, size_t *ret_len, size_t *ret_skip)
{
	const uint8_t *data = input->data + input->begin;
	const uint8_t *newline;
	size_t len = held(input);

	*ret_skip = 0;
	*ret_len = len;
	if (input->whole)
		return input->at_end ? TEXT_LAST_PART : TEXT_PART;
	newline = len ? memchr(data, '\n', len) : NULL;
	if (newline) {
		len = (size_t)(newline - data);
		*ret_skip = 1;
	}
	if (newline || input->at_end) {
		if (len && data[len - 1] == '\r') {
			len--;
			++*ret_skip;
		}
		*ret_len = len;
		return TEXT_LAST_PART;
	}
	/* A CR may belong to the LF that comes next. */
	*ret_len = len && data[len - 1] == '\r' ? len - 1 : len;
	return TEXT_PART;
}

static int next_part(struct text_input *input, enum text_piece *ret_piece, const uint8_t **ret_data,
		     size_t *ret_len, uint64_t *ret_offset)
{
	size_t len, skip;
	int code;

	if (held(input) < 2 && !input->at_end) {
		move_down(input);
		code = fill(input);
		if (code)
			return code;
	}
	*ret_piece = part(input, &len, &skip);
	give(input, len, ret_data, ret_len, ret_offset);
	input->given += skip;
	input->in_line = *ret_piece == TEXT_PART;
	if (*ret_piece == TEXT_LAST_PART && (input->whole || input->at_end) &&
	    input->given == held(input))
		input->done = true;
	return 0;
}

static bool is_done(const struct text_input *input)
{
	return input->done || (input->at_end && !held(input) && !input->whole) ||
	       (!input->in_line && input->offset >= input->stop);
}

int text_input_next(struct text_input *input, enum text_piece *ret_piece, const uint8_t **ret_data,
		    size_t *ret_len, uint64_t *ret_offset)
{
	int code;

	let_go(input, input->given);
	input->given = 0;
	if (input->whole || input->in_line) {
		if (input->done) {
			*ret_piece = TEXT_END;
			return 0;
		}
		return next_part(input, ret_piece, ret_data, ret_len, ret_offset);
	}
	code = text_input_skip(input);
	while (!code) {
		size_t len = whole_lines(input);

		if (is_done(input) || !input->skipped) {
			*ret_piece = TEXT_END;
			return 0;
		}
		/* What is left at the end of the file is a line too. */
		if (!len && input->at_end)
			len = held(input);
		if (len) {
			*ret_piece = TEXT_LINES;
			give(input, len, ret_data, ret_len, ret_offset);
			return 0;
		}
		code = make_room(input);
		if (code == 1)
			return next_part(input, ret_piece, ret_data, ret_len, ret_offset);
		if (!code)
			code = fill(input);
	}
	return code;
}
