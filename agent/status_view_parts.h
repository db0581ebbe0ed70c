/* Of the status as people read it: the tables of links, and what all tables share. Pure. */
#ifndef TW_STATUS_VIEW_PARTS_H
#define TW_STATUS_VIEW_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "agent/base/buf.h"
#include "agent/table.h"

struct view {
	struct buf *out;
	size_t columns; /* of a line; 0: as many as it takes */
	bool left_out; /* something had no room */
};

/* Prints the table, without as many of `spare` as have no room (table_fit()), and frees it. */
void view_end_table(struct view *view, struct table *table, const char *const spare[]);

/* A member; "" or 0 when there is none. */
const char *view_text(const json_t *object, const char *key);
json_int_t view_number(const json_t *object, const char *key);

/* "1.2 Mbit/s": of one direction over the last ten seconds or so. */
void view_rate(char *out, size_t size, const json_t *of, const char *direction);

void view_links(const json_t *links, struct view *view);

/*
 * Of inline links: frames dropped by a verdict and for other reasons, and how long the others took.
 */
void view_relays(const json_t *links, struct view *view);

#endif
