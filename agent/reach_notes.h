/* What a reader of the report of `reach` has to know beside its cells. Pure. */
#ifndef TW_REACH_NOTES_H
#define TW_REACH_NOTES_H

#include <stdbool.h>

#include <jansson.h>

#include "agent/base/buf.h"
#include "agent/reach_shots.h"
#include "netlink/reach.h"

/* Lines of text, "! eno1: ..."; `shots` is what was probed, or NULL. */
void reach_notes_text(const struct reach_lower *lower, const struct reach_shots *shots,
		      struct buf *out);

/*
 * Of what a configuration asks for and perhaps does not mean: for `check` and `plan`. `new_links`:
 * some are still to be made, and what follows from their mode is not known from them.
 */
void reach_notes_config(const struct reach *reach, bool new_links, struct buf *out);

/* A list of texts; NULL when there is no memory. */
json_t *reach_notes_json(const struct reach_lower *lower, const struct reach_shots *shots);

#endif
