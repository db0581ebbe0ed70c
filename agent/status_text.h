/*
 * The text of a status, JSON, and where in it those things are that can be asked for by name. A
 * tree of what a thousand links have would take ten times the memory and time. Pure.
 */
#ifndef TW_STATUS_TEXT_H
#define TW_STATUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"
#include "capture/json_writer.h"

enum status_list {
	STATUS_SETS,
	STATUS_LINKS,
	STATUS_PATTERNS,
	STATUS_LISTS
};

/* A stretch of the text, which is a JSON value. */
struct status_part {
	size_t at, len;
};

/* Zero-initialise; freed by status_text_done(). */
struct status_text {
	struct buf buf;
	struct json_writer json; /* into `buf` */
	struct status_part lists[STATUS_LISTS];
	struct status_part *items[STATUS_LISTS];
	size_t n[STATUS_LISTS];
};

void status_text_done(struct status_text *text);

/* Empties it, for a value to be written by its `json`. */
void status_text_reset(struct status_text *text);

/*
 * Around a list of at most `max` items, under its name, and around each item: an object that begins
 * with its name, which needs no escapes.
 */
void status_text_list(struct status_text *text, enum status_list list, size_t max);
void status_text_list_end(struct status_text *text, enum status_list list);
void status_text_item(struct status_text *text, enum status_list list, const char *name);
void status_text_item_end(struct status_text *text, enum status_list list);

/* A string from outside: where it is no UTF-8, its bytes above ASCII are told as \\xNN. */
void status_text_foreign(struct json_writer *w, const char *key, const char *s);

/* The item of this name; false when there is none. */
bool status_text_find(const struct status_text *text, enum status_list list, const char *name,
		      struct status_part *ret);

#endif
